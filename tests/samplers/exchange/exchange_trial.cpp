#include "tests/samplers/exchange/exchange_trial.h"

#include <algorithm>
#include <mutex>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "tests/reference/plain_queue.h"

namespace negatron::testing {
namespace {

/// Every so many keys of a step one is equal to the first of the step before.
constexpr std::int64_t kEqualEvery = 3;
constexpr std::int64_t kSamples = 9;
constexpr std::int64_t kLabels = 4;

QueryShares shares_of(const Scene& scene, int ranks) {
  return {share_sizes(scene.queries.size(0), ranks), 0};
}

at::Tensor defined_part(const at::Tensor& all, const Communicator& comm) {
  return all.defined() ? part(all, comm) : all;
}

void put_together(Communicator& comm, const QueryShares& shares, at::Tensor& values) {
  if (values.defined()) values = comm.all_gather(values.contiguous(), shares.sizes);
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance, const char* what) {
  ASSERT_EQ(actual.defined(), expected.defined()) << what;
  if (!actual.defined()) return;
  // Of a sum of many rows: what rounds is as large as the largest element.
  const at::Tensor sizes = expected.abs().masked_fill(expected.isinf(), 0.0);
  const double size = std::max(1.0, sizes.numel() == 0 ? 0.0 : sizes.max().item<double>());
  EXPECT_TRUE(at::allclose(actual.to(at::kDouble), expected, tolerance, tolerance * size)) << what << "\n"
                                                                                           << actual << "\n"
                                                                                           << expected << "\n"
                                                                                           << actual - expected;
}

at::Tensor by_slot(const at::Tensor& all, const at::Tensor& slots) {
  return all.defined() ? all.index_select(0, slots.clamp_min(0)) : all;
}

/// What a request says of rows, given by slot, for the rows in these slots.
void name_rows(NegativeRequest& request, const at::Tensor& slots) {
  const auto name_pool = [&](RowPool& pool) {
    pool.rows = by_slot(pool.rows, slots);
    pool.score_factors = by_slot(pool.score_factors, slots);
  };
  for (NegativeSet& set : request.sets) name_pool(set.pool);
  if (request.mixes) {
    for (HardPool& pool : request.mixes->pools) name_pool(pool.rows);
  }
  request.row_log_weights = by_slot(request.row_log_weights, slots);
}

}  // namespace

at::Tensor Scene::keys(std::int64_t step) const {
  const std::int64_t size = batches[static_cast<std::size_t>(step)];
  at::Tensor keys = random_unit_rows(1000 + static_cast<std::uint64_t>(step), 0, size, bank.width);
  const at::Tensor repeated = random_unit_rows(999 + static_cast<std::uint64_t>(step), 0, 1, bank.width);
  for (std::int64_t i = 1; i < size; i += kEqualEvery) keys[i].copy_(repeated[0]);
  return keys;
}

at::Tensor Scene::ids_of(std::int64_t step) const {
  return (at::arange(batches[static_cast<std::size_t>(step)], at::kLong) + step * 3).remainder(kSamples);
}

at::Tensor Scene::labels_of(std::int64_t step) const {
  return (at::arange(batches[static_cast<std::size_t>(step)], at::kLong) * 5 + step).remainder(kLabels) - 1;
}

Scene make_scene(std::int64_t queries, at::ScalarType type) {
  Scene scene;
  scene.bank.dtype = type;
  scene.batches = {8, 8, 5, 8, 8, 1, 8, 8, 8, 3};
  scene.queries = random_unit_rows(77, 0, queries, scene.bank.width).to(type);
  scene.positives = random_unit_rows(78, 0, queries, scene.bank.width).to(type);
  scene.ids = at::arange(queries, at::kLong) - 1;
  scene.labels = at::arange(queries, at::kLong).remainder(kLabels) - 1;
  return scene;
}

at::Tensor part(const at::Tensor& all, const Communicator& comm) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size());
}

Bank make_bank(const Scene& scene, const Communicator& comm) {
  Bank bank(scene.bank, comm.rank(), comm.size());
  for (std::int64_t step = 0; step < scene.steps(); ++step) {
    bank.enqueue(part(scene.keys(step), comm), part(scene.ids_of(step), comm), part(scene.labels_of(step), comm), step,
                 scene.batches[static_cast<std::size_t>(step)]);
  }
  return bank;
}

QueryBatch make_batch(const Scene& scene, const Communicator& comm) {
  return {part(scene.queries, comm),
          defined_part(scene.positives, comm),
          defined_part(scene.ids, comm),
          {},
          defined_part(scene.labels, comm),
          shares_of(scene, comm.size()),
          scene.steps()};
}

QueryBatch whole_batch(const Scene& scene) {
  return {scene.queries, scene.positives, scene.ids, {}, scene.labels, shares_of(scene, 1), scene.steps()};
}

PlainBank make_plain_bank(const Scene& scene) {
  PlainQueue queue(scene.bank.rows);
  std::vector<std::int64_t> all_sizes;
  std::vector<std::int64_t> all_offsets;
  for (std::int64_t step = 0; step < scene.steps(); ++step) {
    queue.enqueue(scene.keys(step).to(scene.bank.dtype), scene.ids_of(step), scene.labels_of(step), step);
    const std::int64_t size = scene.batches[static_cast<std::size_t>(step)];
    for (std::int64_t offset = 0; offset < size; ++offset) {
      all_sizes.push_back(size);
      all_offsets.push_back(offset);
    }
  }
  std::vector<std::int64_t> slots, labels, ids, steps, sizes, offsets;
  for (const PlainQueue::Entry& entry : queue.entries()) {
    slots.push_back(queue.slot_of(entry));
    labels.push_back(entry.label);
    ids.push_back(entry.id);
    steps.push_back(entry.step);
    sizes.push_back(all_sizes[static_cast<std::size_t>(entry.sequence)]);
    offsets.push_back(all_offsets[static_cast<std::size_t>(entry.sequence)]);
  }
  const auto longs = [](const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong); };
  PlainBank bank;
  bank.rows.vectors = queue.entries().empty() ? at::zeros({0, scene.bank.width}, at::kDouble) : queue.vectors();
  bank.rows.slots = longs(slots);
  bank.rows.labels = longs(labels);
  bank.ids = longs(ids);
  bank.steps = longs(steps);
  bank.batch_sizes = longs(sizes);
  bank.offsets = longs(offsets);
  return bank;
}

NegativeRequest part(const NegativeRequest& whole, const Bank& bank, const Communicator& comm) {
  NegativeRequest own = whole;
  name_rows(own, bank.shard().rows.slots);
  for (NegativeSet& set : own.sets) {
    set.lower_score = defined_part(set.lower_score, comm);
    set.upper_score = defined_part(set.upper_score, comm);
    set.slots = defined_part(set.slots, comm);
  }
  if (own.kept) own.kept->slots = defined_part(own.kept->slots, comm);
  own.vectors = defined_part(own.vectors, comm);
  return own;
}

Outcome run_on_ranks(const Scene& scene, const NegativeRequest& request, const std::vector<ScoreTerm>& terms,
                     int ranks) {
  Outcome outcome;
  std::mutex mutex;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Bank bank = make_bank(scene, comm);
    const QueryBatch batch = make_batch(scene, comm);
    std::vector<ScoreTerm> own_terms = terms;
    for (ScoreTerm& term : own_terms) term.query_offset = defined_part(term.query_offset, comm);
    const std::int64_t before = bytes_received(comm);
    BankExchange exchange;
    NegativeResult result = exchange.run(comm, bank, batch, part(request, bank, comm), own_terms);
    const std::int64_t bytes = bytes_received(comm) - before;

    for (TermResult& term : result.scores.terms) {
      for (at::Tensor* values : {&term.value, &term.gradient, &term.slope, &term.log_weight}) {
        put_together(comm, batch.shares, *values);
      }
    }
    for (at::Tensor* values : {&result.scores.count, &result.scores.max, &result.bank_max, &result.hardest,
                               &result.mix_count, &result.mix_score_sum, &result.tried, &result.kept}) {
      put_together(comm, batch.shares, *values);
    }
    const std::lock_guard lock(mutex);
    outcome.bytes_received[comm.rank()] = bytes;
    if (comm.rank() == 0) outcome.result = result;
  });
  return outcome;
}

void expect_plain(const Scene& scene, const NegativeRequest& request, const std::vector<ScoreTerm>& terms) {
  const PlainBank bank = make_plain_bank(scene);
  NegativeRequest whole = request;
  name_rows(whole, bank.rows.slots);
  const NegativeResult expected = plain_negatives(bank, whole_batch(scene), whole, terms);
  const double tolerance = scene.queries.scalar_type() == at::kDouble ? 1e-12 : 1e-6;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    SCOPED_TRACE(::testing::Message() << ranks << " ranks, " << scene.queries.scalar_type());
    const NegativeResult actual = run_on_ranks(scene, request, terms, ranks).result;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      SCOPED_TRACE(::testing::Message() << "term " << t);
      // A score is right to its own rounding, and a scale multiplies that.
      const double of_term = tolerance * std::max(1.0, terms[t].scale / 10.0);
      expect_close(actual.scores.terms[t].value, expected.scores.terms[t].value, of_term, "value");
      expect_close(actual.scores.terms[t].gradient, expected.scores.terms[t].gradient, of_term, "gradient");
      expect_close(actual.scores.terms[t].slope, expected.scores.terms[t].slope, of_term, "slope");
      expect_close(actual.scores.terms[t].log_weight, expected.scores.terms[t].log_weight, of_term, "log weight");
    }
    EXPECT_TRUE(at::equal(actual.scores.count, expected.scores.count)) << actual.scores.count << expected.scores.count;
    expect_close(actual.scores.max, expected.scores.max, tolerance, "max");
    expect_close(actual.bank_max, expected.bank_max, tolerance, "bank max");
    ASSERT_EQ(actual.kept.defined(), expected.kept.defined());
    if (actual.kept.defined()) {
      EXPECT_TRUE(at::equal(actual.kept, expected.kept)) << actual.kept << expected.kept;
    }
    if (actual.tried.defined()) {
      EXPECT_TRUE(at::equal(actual.tried, expected.tried)) << actual.tried << expected.tried;
    }
    if (actual.hardest.defined()) {
      EXPECT_TRUE(at::equal(actual.hardest, expected.hardest)) << actual.hardest << expected.hardest;
    }
    if (request.mixes) {
      EXPECT_TRUE(at::equal(actual.mix_count, expected.mix_count)) << actual.mix_count << expected.mix_count;
      expect_close(actual.mix_score_sum, expected.mix_score_sum, 10.0 * tolerance, "mix score sum");
    }
  }
}

std::vector<ScoreTerm> usual_terms(const Scene& scene) {
  ScoreTerm soft;
  soft.scale = 5.0;
  ScoreTerm sharp;
  sharp.scale = 100.0;
  ScoreTerm hinge;
  hinge.shape = TermShape::kHinge;
  hinge.reduction = Reduction::kSum;
  hinge.query_offset = at::arange(scene.queries.size(0), scene.queries.options()) * 0.1;
  hinge.want_slope = true;
  ScoreTerm positives;
  positives.rows = TermRows::kPositives;
  positives.reduction = Reduction::kSum;
  ScoreTerm counted = positives;
  counted.shape = TermShape::kOne;
  counted.want_gradient = false;
  ScoreTerm mean;
  mean.reduction = Reduction::kSoftmaxMean;
  mean.weight_scale = 3.0;
  return {soft, sharp, hinge, positives, counted, mean};
}

void expect_plain(const NegativeRequest& request) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const Scene scene = make_scene(7, type);
    expect_plain(scene, request, usual_terms(scene));
  }
}

std::int64_t bytes_received(const Communicator& comm) {
  std::int64_t bytes = 0;
  for (const auto& [name, traffic] : comm.traffic().total()) bytes += traffic.bytes_received;
  return bytes;
}

std::int64_t all_reduce_bytes(const Communicator& comm, std::int64_t elements, std::int64_t element_size) {
  const std::int64_t own = share(elements, comm.size(), comm.rank()).size();
  return (elements - own + (comm.size() - 1) * own) * element_size;
}

}  // namespace negatron::testing
