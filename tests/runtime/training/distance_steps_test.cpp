// A run whose scores are squared distances: the same losses on any number of ranks, and by the definition, beside plain
// banks that write the distances out: losses, the gradient of the encoder, and what becomes of the rows.

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/training/trainer.h"
#include "samplers/bank/squared_distance.h"
#include "tests/reference/plain_distances.h"
#include "tests/reference/plain_queue.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

/// Of distances that matter: a head begins with short vectors, whose squared distances are small beside a tau of 1.
PretrainOptions by_distance(PretrainOptions options, double tau = 0.1) {
  options.head.length = RowLength::kDistance;
  options.tau = tau;
  options.learning_rate = 0.1;
  return options;
}

void expect_same(const PretrainOptions& options) {
  expect_same_losses(options, Precision::kFp64, 1e-10);
  expect_same_losses(options, Precision::kFp32, 1e-4, {3});
}

TEST(DistanceSteps, DoNotDependOnTheNumberOfRanks) {
  for (const char* objective : {"info-nce", "nce", "supcon", "margin-ranking"})
    expect_same(by_distance(small_options(objective)));
  PretrainOptions options = by_distance(small_options("info-nce"));
  options.symmetric = true;
  options.bank_fill = BankFill::kEmpty;
  options.sampler = "top-n";
  options.sampler_options = "n=9,skip=1";
  expect_same(options);
  // A temperature at which the nearest row takes nearly all.
  expect_same_losses(by_distance(small_options("info-nce"), 0.01), Precision::kFp64, 1e-10, {3});
  options = by_distance(small_options("info-nce-in-batch"));
  expect_same(options);
}

TEST(DistanceSteps, OverRowsThatStayDoNotDependOnTheNumberOfRanks) {
  for (const BankKind kind : {BankKind::kMemory, BankKind::kLearned, BankKind::kIndex, BankKind::kParametric}) {
    PretrainOptions options = by_distance(with_rows_of(kind, small_options("info-nce")));
    expect_same(options);
    options.sampler = "uniform";
    options.sampler_options = "m=9";
    if (rows_learn(kind)) {
      options.rows.kind = RowOptimizerKind::kAdam;
      options.rows.rate = 0.05;
    }
    expect_same_losses(options, Precision::kFp64, 1e-10, {3});
  }
  PretrainOptions views = by_distance(with_memory(small_options("info-nce")));
  views.bank_per_view = true;
  expect_same(views);
}

/// What a step must come to, by vectors alone.
struct Expected {
  at::Tensor loss;  // a scalar with gradient to the query encoder
  /// After the step: what the bank's rows are made of, [K, d]; undefined where it is a queue.
  at::Tensor vectors;
};

/// Steps of a trainer on one rank in fp64, each beside what `expect` says of it. The gradient that a step leaves in the
/// parameters must be that of the written-out loss.
void expect_steps(const PretrainOptions& options, const std::function<Expected(Trainer&, const Batch&)>& expect) {
  constexpr std::int64_t kSteps = 8;
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto data = rectangles();
    const BatchSource source = small_batches(options, comm);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp64}, comm,
                    {data->channels(), source.steps_per_epoch(), {}, data->view_size()});
    StepTimer timer;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      SCOPED_TRACE(step);
      const Batch batch = source.build(step / source.steps_per_epoch(), step % source.steps_per_epoch());
      const std::vector<at::Tensor> parameters = trainer.encoders().parameters();
      const Expected expected = expect(trainer, batch);
      const auto gradients = torch::autograd::grad({expected.loss}, parameters);
      const double loss = expected.loss.item<double>();
      timer.start_step();
      EXPECT_NEAR(trainer.step(batch, timer).loss, loss, 1e-11 * std::abs(loss));
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        const double size = std::max(1e-3, gradients[i].abs().max().item<double>());
        EXPECT_LT((parameters[i].grad() - gradients[i]).abs().max().item<double>(), 1e-10 * size) << "parameter " << i;
      }
      if (!expected.vectors.defined()) continue;
      EXPECT_TRUE(at::allclose(trainer.bank()->shard().rows.vectors, distance_rows(expected.vectors), 1e-10, 1e-11));
    }
  });
}

TEST(DistanceSteps, OfAQueueAreThoseOfThePlainOne) {
  const PretrainOptions options = by_distance(small_options("info-nce"));
  PlainQueue queue(options.bank_rows);
  const at::Tensor none = at::full({options.bank_rows}, -1, at::kLong);
  queue.enqueue(PlainDistances::start(options.bank_rows, options.head.output, options.seed).vectors, none, none, -1);
  std::int64_t step = 0;
  expect_steps(options, [&](Trainer& trainer, const Batch& batch) {
    const at::Tensor queries = trainer.encoders().query(batch.view_a);
    const at::Tensor keys = trainer.encoders().key(batch.view_b);
    EXPECT_EQ(queries.size(1), options.head.output);
    std::vector<std::int64_t> ids;
    for (const PlainQueue::Entry& entry : queue.entries()) ids.push_back(entry.id);
    const at::Tensor own = batch.ids.unsqueeze(1) == at::tensor(ids, at::kLong).unsqueeze(0);
    const Expected expected{PlainDistances::loss(queries, keys, queue.vectors(), options.tau, own), {}};
    queue.enqueue(keys.detach().clone(), batch.ids, batch.labels, step++);
    return expected;
  });
}

TEST(DistanceSteps, OfAMemoryBankAreThoseOfThePlainOne) {
  const PretrainOptions options = by_distance(with_memory(small_options("info-nce")));
  at::Tensor vectors = PlainDistances::start(options.bank_rows, options.head.output, options.seed).vectors;
  expect_steps(options, [&](Trainer& trainer, const Batch& batch) {
    const at::Tensor queries = trainer.encoders().query(batch.view_a);
    const at::Tensor loss = PlainDistances::loss_of_own(queries, vectors, batch.ids, options.tau);
    const double m = options.bank_momentum;
    const at::Tensor mixed = m * vectors.index_select(0, batch.ids) + (1.0 - m) * queries.detach();
    vectors = vectors.index_copy(0, batch.ids, mixed);
    return Expected{loss, vectors};
  });
}

/// Rows go up their own loss, at a temperature of their own, by the queries as they met.
TEST(DistanceSteps, OfALearnedBankAreThoseOfThePlainOne) {
  const PretrainOptions options = by_distance(with_learned(small_options("info-nce")));
  PlainDistances plain = PlainDistances::start(options.bank_rows, options.head.output, options.seed);
  expect_steps(options, [&](Trainer& trainer, const Batch& batch) {
    const at::Tensor queries = trainer.encoders().query(batch.view_a);
    const at::Tensor keys = trainer.encoders().key(batch.view_b);
    const at::Tensor loss = PlainDistances::loss(queries, keys, plain.vectors, options.tau);
    const at::Tensor leaf = plain.vectors.clone().requires_grad_();
    const at::Tensor of_rows = PlainDistances::loss(queries.detach(), keys, leaf, options.rows_tau);
    plain.step(torch::autograd::grad({of_rows}, {leaf}).front(), options.rows);
    return Expected{loss, plain.vectors};
  });
}

TEST(DistanceSteps, OfAParametricBankAreThoseOfThePlainOne) {
  const PretrainOptions options = by_distance(with_parametric(small_options("info-nce")));
  PlainDistances plain = PlainDistances::start(options.bank_rows, options.head.output, options.seed);
  std::int64_t step = 0;
  expect_steps(options, [&](Trainer& trainer, const Batch& batch) {
    const BatchSource source = small_batches(options, trainer.bank_group());
    const at::Tensor queries = trainer.encoders().query(batch.view_a);
    const at::Tensor leaf = plain.vectors.clone().requires_grad_();
    const at::Tensor loss = PlainDistances::loss_of_own(queries, leaf, batch.ids, options.tau);
    RowOptimizer rows = options.rows;
    rows.raises = false;
    rows.rate *= TrainingSchedule(options, source.steps_per_epoch()).rate_share(step++);
    plain.step(torch::autograd::grad({loss}, {leaf}, {}, /*retain_graph=*/true).front(), rows);
    return Expected{loss, plain.vectors};
  });
}

/// Embeddings, of which alignment and features are, stay d numbers; the bank alone has more.
TEST(DistanceSteps, LeaveEmbeddingsAsTheHeadMadeThem) {
  const PretrainOptions options = by_distance(small_options("info-nce"));
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto data = rectangles();
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp32}, comm,
                    {data->channels(), 5, {}, data->view_size()});
    const at::Tensor images = at::rand({3, 1, 12, 12});
    EXPECT_EQ(trainer.encoders().embed(images).size(1), options.head.output);
    EXPECT_EQ(trainer.bank()->width(), options.head.output + 2);
    EXPECT_GT((trainer.encoders().embed(images).norm(2, 1) - 1.0).abs().max().item<double>(), 1e-3);
  });
}

}  // namespace
}  // namespace negatron::testing
