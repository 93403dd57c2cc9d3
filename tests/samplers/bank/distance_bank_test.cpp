// A bank whose rows are scored by distances: what it stores of vectors, what of them learns, and how they come back.

#include <stdexcept>

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "samplers/bank/bank.h"
#include "samplers/bank/random_rows.h"
#include "samplers/bank/row_geometry.h"
#include "samplers/bank/squared_distance.h"
#include "tests/reference/plain_distances.h"

namespace negatron {
namespace {

using testing::PlainDistances;

constexpr std::int64_t kFarCount = 23, kFarWidth = 5;
constexpr std::uint64_t kFarSeed = 4;
constexpr double kFarTemperature = 0.7;
constexpr RowOptimizer kFarSgd{2.0, 0.9, 1e-2};

BankOptions far_options(BankKind kind, RowOptimizerKind optimizer = RowOptimizerKind::kSgd) {
  return {kFarCount, kFarWidth + 2, at::kDouble,          at::kCPU, BankFill::kRandom, kFarSeed,
          6,         kind,          RowLength::kDistance, optimizer};
}

at::Tensor far_vectors(std::int64_t count, double shift) {
  return 2.0 * at::sin(1.3 * at::arange(count * kFarWidth, at::kDouble).view({count, kFarWidth}) + shift);
}

Range part_of_rank(const Bank& bank) {
  return share(kFarCount, bank.layout().ranks(), bank.rank());
}

/// The loss of a step, of which rows n get the gradient.
at::Tensor far_loss(const at::Tensor& rows, std::int64_t step) {
  const auto shift = static_cast<double>(step);
  return PlainDistances::loss(far_vectors(4, shift), far_vectors(4, shift + 0.2), rows, kFarTemperature);
}

at::Tensor by_vectors(const at::Tensor& vectors, std::int64_t step) {
  const at::Tensor leaf = vectors.clone().requires_grad_();
  return torch::autograd::grad({far_loss(leaf, step)}, {leaf}).front();
}

/// What a pass and its gradient would send to rows n' [K, d + 2], of products alone.
at::Tensor by_rows(const at::Tensor& rows, std::int64_t step) {
  const auto shift = static_cast<double>(step);
  const at::Tensor leaf = rows.clone().requires_grad_();
  const at::Tensor queries = distance_queries(far_vectors(4, shift));
  const at::Tensor positive = (queries * distance_rows(far_vectors(4, shift + 0.2))).sum(1, true);
  const at::Tensor logits = at::cat({positive, queries.mm(leaf.t())}, 1) / kFarTemperature;
  return torch::autograd::grad({(logits.logsumexp(1) - logits.select(1, 0)).mean()}, {leaf}).front();
}

TEST(RowGeometry, OfDistancesGoesThereAndBack) {
  const at::Tensor vectors = far_vectors(3, 1.0);
  const at::Tensor rows = rows_of_vectors(vectors, RowLength::kDistance);
  EXPECT_TRUE(at::equal(rows, distance_rows(vectors)));
  EXPECT_TRUE(at::equal(scored_rows(vectors, RowLength::kDistance), rows));
  EXPECT_TRUE(at::equal(vectors_of_rows(rows, RowLength::kDistance), vectors));
  EXPECT_TRUE(at::equal(queries_of_vectors(vectors, RowLength::kDistance), distance_queries(vectors)));
  for (const RowLength length : {RowLength::kUnit, RowLength::kAsMade}) {
    EXPECT_TRUE(at::equal(rows_of_vectors(vectors, length), vectors));
    EXPECT_TRUE(at::equal(queries_of_vectors(vectors, length), vectors));
    EXPECT_TRUE(at::equal(vectors_of_rows(vectors, length), vectors));
    EXPECT_TRUE(can_be_stored(length, at::kBFloat16));
  }
  EXPECT_FALSE(can_be_stored(RowLength::kDistance, at::kBFloat16) || can_be_stored(RowLength::kDistance, at::kHalf));
  EXPECT_EQ(vector_width(RowLength::kDistance, row_width(RowLength::kDistance, 7)), 7);
}

/// Every kind, random rows included; to whoever scores they are rows of any length.
TEST(DistanceBank, StoresVectorsWithTwoNumbersMore) {
  const at::Tensor random = distance_rows(random_unit_rows(kFarSeed, 0, kFarCount, kFarWidth));
  for (const BankKind kind :
       {BankKind::kQueue, BankKind::kMemory, BankKind::kLearned, BankKind::kIndex, BankKind::kParametric}) {
    Bank bank(far_options(kind), 0, 1);
    EXPECT_EQ(bank.shard().rows.length, RowLength::kAsMade);
    EXPECT_EQ(bank.options().length, RowLength::kDistance);
    if (!rows_stay(kind)) continue;
    EXPECT_TRUE(at::equal(bank.shard().rows.vectors, random));
    const at::Tensor vectors = vectors_of_rows(random, RowLength::kDistance);
    EXPECT_TRUE(!rows_learn(kind) || at::equal(bank.shard().raw, vectors));
  }
  // A grid has holes; what counts is there.
  const Bank queue(far_options(BankKind::kQueue), 1, 2);
  const at::Tensor& slots = queue.shard().rows.slots;
  const at::Tensor there = (slots >= 0).nonzero().squeeze(1);
  EXPECT_TRUE(at::equal(queue.shard().rows.vectors.index_select(0, there),
                        random.index_select(0, slots.index_select(0, there))));
}

TEST(DistanceBank, RefusesWhatCannotHoldThem) {
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    BankOptions options = far_options(BankKind::kQueue);
    options.dtype = type;
    EXPECT_THROW(Bank(options, 0, 1), std::invalid_argument);
  }
  BankOptions narrow = far_options(BankKind::kQueue);
  narrow.width = 2;
  EXPECT_THROW(Bank(narrow, 0, 1), std::invalid_argument);
  BankOptions products = far_options(BankKind::kLearned);
  products.length = RowLength::kAsMade;
  EXPECT_THROW(Bank(products, 0, 1), std::invalid_argument);
}

/// By the gradient that products give to d + 2 numbers; the further ones never step by themselves, nor decay.
TEST(DistanceBank, LearnsAsVectorsWouldByTheirDistances) {
  for (const BankKind kind : {BankKind::kLearned, BankKind::kParametric}) {
    RowOptimizer sgd = kFarSgd;
    sgd.raises = kind == BankKind::kLearned;
    for (int ranks = 1; ranks <= 4; ++ranks) {
      PlainDistances plain = PlainDistances::start(kFarCount, kFarWidth, kFarSeed);
      std::vector<Bank> banks;
      for (int rank = 0; rank < ranks; ++rank) banks.emplace_back(far_options(kind), rank, ranks);
      for (std::int64_t step = 0; step < 6; ++step) {
        const at::Tensor gradient = by_rows(distance_rows(plain.vectors), step);
        plain.step(by_vectors(plain.vectors, step), sgd);
        for (Bank& bank : banks) {
          const Range own = part_of_rank(bank);
          bank.train({{}, gradient.slice(0, own.begin, own.end)}, sgd, step);
        }
      }
      for (const Bank& bank : banks) {
        const Range own = part_of_rank(bank);
        const auto mine = [&](const at::Tensor& all) { return all.slice(0, own.begin, own.end); };
        EXPECT_TRUE(at::allclose(bank.shard().raw, mine(plain.vectors), 1e-11, 1e-12));
        EXPECT_TRUE(at::allclose(bank.shard().moments, mine(plain.velocity), 1e-11, 1e-12));
        EXPECT_TRUE(at::equal(bank.shard().rows.vectors, distance_rows(bank.shard().raw)));
      }
    }
  }
}

TEST(DistanceBank, GradientOfRowsIsThatOfCentralDifferences) {
  constexpr double kStep = 1e-5;
  const at::Tensor vectors = far_vectors(kFarCount, 0.4);
  const at::Tensor found = by_raw_rows(by_rows(distance_rows(vectors), 1), vectors, RowLength::kDistance);
  ASSERT_EQ(found.sizes(), vectors.sizes());
  at::Tensor differences = at::zeros_like(vectors);
  for (std::int64_t i = 0; i < vectors.numel(); ++i) {
    const auto moved = [&](double by) {
      at::Tensor other = vectors.clone();
      other.view({-1})[i] += by;
      return far_loss(other, 1).item<double>();
    };
    differences.view({-1})[i] = (moved(kStep) - moved(-kStep)) / (2.0 * kStep);
  }
  EXPECT_GT(differences.abs().max().item<double>(), 1e-3);
  EXPECT_LT((found - differences).abs().max().item<double>(), 1e-8);
}

/// Rows that a step did not meet stay as they are, and moments are those of d numbers.
TEST(DistanceBank, MetRowsAloneStepUnderOtherOptimizers) {
  for (const RowOptimizerKind optimizer : {RowOptimizerKind::kAdagrad, RowOptimizerKind::kAdam}) {
    Bank bank(far_options(BankKind::kParametric, optimizer), 0, 1);
    EXPECT_EQ(bank.shard().moments.size(1), moments_width(optimizer, kFarWidth));
    const at::Tensor before = bank.shard().rows.vectors.clone();
    const at::Tensor met = at::tensor({2, 9}, at::kLong);
    RowOptimizer descent{0.1, 0.9, 0.0, optimizer, false};
    bank.train({met, by_rows(before, 0).index_select(0, met)}, descent, 3);
    const at::Tensor changed = (bank.shard().rows.vectors != before).any(1).nonzero().squeeze(1);
    EXPECT_TRUE(at::equal(changed, met));
    EXPECT_TRUE(at::equal(bank.shard().rows.vectors, distance_rows(bank.shard().raw)));
  }
}

TEST(DistanceBank, IsRestoredOnAnyNumberOfRanksAndInAnotherType) {
  Bank saved(far_options(BankKind::kLearned), 0, 1);
  for (std::int64_t step = 0; step < 3; ++step) {
    saved.train({{}, by_rows(saved.shard().rows.vectors, step)}, kFarSgd, step);
  }
  const BankShard& shard = saved.shard();
  const BankBlock all{shard.rows.vectors, shard.ids, shard.rows.labels, shard.steps,
                      shard.rows.slots,   shard.raw, shard.moments};
  const BankRowReader read = [&](Range keys) { return part_of(all, keys.begin, keys.size()); };
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      Bank bank(far_options(BankKind::kLearned), rank, ranks);
      bank.restore(saved.layout().state(), read);
      const Range own = part_of_rank(bank);
      EXPECT_TRUE(at::equal(bank.shard().rows.vectors, all.vectors.slice(0, own.begin, own.end)));
      EXPECT_TRUE(at::equal(bank.shard().raw, all.raw.slice(0, own.begin, own.end)));
      EXPECT_TRUE(at::equal(bank.shard().moments, all.moments.slice(0, own.begin, own.end)));
    }
  }
  BankOptions single = far_options(BankKind::kLearned);
  single.dtype = at::kFloat;
  Bank rounded(single, 0, 1);
  rounded.restore(saved.layout().state(), read);
  EXPECT_TRUE(at::equal(rounded.shard().rows.vectors, distance_rows(all.raw.to(at::kFloat))));
  // Raw rows of d + 2 numbers are none.
  const BankRowReader wide = [&](Range keys) {
    BankBlock block = part_of(all, keys.begin, keys.size());
    block.raw = block.vectors;
    return block;
  };
  EXPECT_THROW(Bank(far_options(BankKind::kLearned), 0, 1).restore(saved.layout().state(), wide),
               std::invalid_argument);
}

TEST(DistanceBank, RowsThatAreSetAreAtRest) {
  Bank bank(far_options(BankKind::kLearned), 0, 1);
  bank.train({{}, by_rows(bank.shard().rows.vectors, 0)}, kFarSgd, 0);
  const at::Tensor set = far_vectors(2, 0.3);
  bank.replace(at::tensor({3, 1}, at::kLong), distance_rows(set), {}, -1);
  EXPECT_TRUE(at::equal(bank.shard().raw[3], set[0]));
  EXPECT_TRUE(at::equal(bank.shard().rows.vectors[1], distance_rows(set)[1]));
  EXPECT_EQ(bank.shard().moments[3].abs().max().item<double>(), 0.0);
}

}  // namespace
}  // namespace negatron
