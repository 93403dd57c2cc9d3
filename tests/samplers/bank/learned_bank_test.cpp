// A learned bank: rows that are trained, how they are copied while they are, and how they come back.

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "samplers/bank/bank.h"
#include "samplers/bank/row_geometry.h"
#include "tests/reference/plain_learned.h"

namespace negatron {
namespace {

using testing::PlainLearned;

constexpr std::int64_t kLearnedRows = 23;
constexpr std::int64_t kLearnedWidth = 5;
constexpr std::uint64_t kLearnedSeed = 4;
constexpr double kLearnedTau = 0.3;
constexpr RowOptimizer kLearnedSgd{2.0, 0.9, 1e-2};

Bank make_learned(int rank, int ranks, at::ScalarType dtype = at::kDouble) {
  return {
      BankOptions{kLearnedRows, kLearnedWidth, dtype, at::kCPU, BankFill::kRandom, kLearnedSeed, 6, BankKind::kLearned},
      rank, ranks};
}

at::Tensor queries_of(std::int64_t step) {
  const at::Tensor rows = at::sin(1.7 * at::arange(4, at::kDouble).unsqueeze(1) + at::arange(5, at::kDouble) +
                                  static_cast<double>(3 * step));
  return rows / rows.norm(2, {1}, true);
}

/// [K, d] of the plain loss by the rows as they score: a radial part does not count, so that of the raw rows, which are
/// of length 1 to autograd here, will do.
at::Tensor gradient_of(const at::Tensor& rows, std::int64_t step) {
  const at::Tensor leaf = rows.to(at::kDouble).clone().requires_grad_();
  const at::Tensor positive = at::full({4}, 0.5, at::kDouble);
  return torch::autograd::grad({PlainLearned::loss(leaf, queries_of(step), positive, kLearnedTau)}, {leaf}).front();
}

at::Tensor own_of(const Bank& bank, const at::Tensor& all) {
  const Range own = share(kLearnedRows, bank.layout().ranks(), bank.rank());
  return all.narrow(0, own.begin, own.size());
}

TEST(RowGeometry, PullsGradientsBackToRawRows) {
  at::Tensor raw = 2.0 * at::sin(at::arange(12, at::kDouble).view({3, 4}) + 1.0);
  const at::Tensor target = at::cos(at::arange(12, at::kDouble).view({3, 4}));
  const at::Tensor leaf = raw.clone().requires_grad_();
  const at::Tensor by_autograd = torch::autograd::grad({(scored_rows(leaf) * target).sum()}, {leaf}).front();
  EXPECT_TRUE(at::allclose(by_raw_rows(target, raw), by_autograd, 1e-13, 1e-14));
  raw[1].zero_();
  EXPECT_TRUE(at::equal(scored_rows(raw)[1], at::zeros({4}, at::kDouble)));
  EXPECT_TRUE(by_raw_rows(target, raw).isfinite().all().item<bool>());
}

TEST(LearnedBank, TakesTheStepsOfAPlainOneOnAnyNumberOfRanks) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    PlainLearned plain = PlainLearned::start(kLearnedRows, kLearnedWidth, kLearnedSeed);
    std::vector<Bank> banks;
    for (int rank = 0; rank < ranks; ++rank) banks.push_back(make_learned(rank, ranks));
    for (std::int64_t step = 0; step < 6; ++step) {
      const at::Tensor gradient = gradient_of(plain.rows(), step);
      plain.step(queries_of(step), at::full({4}, 0.5, at::kDouble), kLearnedTau, kLearnedSgd);
      for (Bank& bank : banks) bank.train({{}, own_of(bank, gradient)}, kLearnedSgd, step);
    }
    for (const Bank& bank : banks) {
      const BankShard& shard = bank.shard();
      EXPECT_TRUE(at::allclose(shard.raw, own_of(bank, plain.raw), 1e-12, 1e-12));
      EXPECT_TRUE(at::allclose(shard.moments, own_of(bank, plain.velocity), 1e-12, 1e-12));
      EXPECT_TRUE(at::allclose(shard.rows.vectors, own_of(bank, plain.rows()), 1e-12, 1e-12));
      EXPECT_TRUE(at::equal(shard.rows.slots, own_of(bank, at::arange(kLearnedRows, at::kLong))));
      EXPECT_TRUE((shard.ids == -1).all().item<bool>());
      EXPECT_TRUE((shard.steps == 5).all().item<bool>());
      EXPECT_FALSE(shard.rows.validity.defined());
      EXPECT_EQ(bank.rows_with_ids(at::arange(30, at::kLong)).size(0), 0);
      EXPECT_EQ(bank.written().count, shard.steps.numel());
      EXPECT_EQ(bank.written().step_sum, 5 * shard.steps.numel());
    }
  }
}

TEST(LearnedBank, ARateOfZeroLeavesRowsWhereTheyAre) {
  Bank bank = make_learned(0, 1);
  const at::Tensor before = bank.shard().rows.vectors.clone();
  bank.train({{}, gradient_of(before, 0)}, {0.0, 0.9, 0.1}, 3);
  EXPECT_TRUE(at::allclose(bank.shard().rows.vectors, before, 1e-15, 1e-15));
}

/// Far apart in fp32, where rows are stored in two bytes.
TEST(LearnedBank, KeepsWhatRoundedRowsWouldForget) {
  Bank bank = make_learned(0, 1, at::kBFloat16);
  PlainLearned plain = PlainLearned::start(kLearnedRows, kLearnedWidth, kLearnedSeed);
  plain.raw = bank.shard().raw.to(at::kDouble);
  const RowOptimizer slow{1e-3, 0.0, 0.0};
  for (std::int64_t step = 0; step < 400; ++step) {
    const at::Tensor gradient = gradient_of(plain.rows(), 0);
    plain.step(queries_of(0), at::full({4}, 0.5, at::kDouble), kLearnedTau, slow);
    bank.train({{}, gradient}, slow, step);
  }
  EXPECT_EQ(bank.shard().raw.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::allclose(bank.shard().raw.to(at::kDouble), plain.raw, 1e-4, 1e-5));
  EXPECT_TRUE(at::equal(bank.shard().rows.vectors, scored_rows(bank.shard().raw).to(at::kBFloat16)));
}

BankBlock learned_now(const Bank& bank) {
  const BankShard& shard = bank.shard();
  return {shard.rows.vectors.clone(), shard.ids.clone(), shard.rows.labels.clone(), shard.steps.clone(),
          shard.rows.slots.clone(),   shard.raw.clone(), shard.moments.clone()};
}

void expect_same_rows(const BankBlock& found, const BankBlock& all, std::int64_t begin) {
  const BankBlock expected = part_of(all, begin, found.ids.size(0));
  EXPECT_TRUE(at::equal(found.vectors, expected.vectors));
  EXPECT_TRUE(at::equal(found.ids, expected.ids));
  EXPECT_TRUE(at::equal(found.labels, expected.labels));
  EXPECT_TRUE(at::equal(found.steps, expected.steps));
  EXPECT_TRUE(at::equal(found.sequence, expected.sequence));
}

/// With what a copy hands out beside.
BankBlock taken(BankCopy& copy, std::int64_t count) {
  auto& learned = dynamic_cast<LearnedCopy&>(copy);
  BankBlock block = copy.next(count);
  block.raw = learned.next_raw(count);
  block.moments = learned.next_moments(count);
  return block;
}

void train(Bank& bank, std::int64_t step) {
  bank.train({{}, gradient_of(bank.shard().rows.vectors, step)}, kLearnedSgd, step);
}

TEST(LearnedBank, IsRestoredOnAnyNumberOfRanksAndGoesOn) {
  Bank saved = make_learned(0, 1);
  for (std::int64_t step = 0; step < 3; ++step) train(saved, step);
  const BankBlock all = learned_now(saved);
  const at::Tensor gradient = gradient_of(all.vectors, 3);
  saved.train({{}, gradient}, kLearnedSgd, 3);
  const BankRowReader read = [&](Range keys) { return part_of(all, keys.begin, keys.size()); };
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      Bank bank = make_learned(rank, ranks);
      bank.restore(saved.layout().state(), read);
      expect_same_rows(learned_now(bank), all, share(kLearnedRows, ranks, rank).begin);
      EXPECT_EQ(bank.written().step_sum, 2 * bank.written().count);
      bank.train({{}, own_of(bank, gradient)}, kLearnedSgd, 3);
      EXPECT_TRUE(at::equal(bank.shard().raw, own_of(bank, saved.shard().raw)));
      EXPECT_TRUE(at::equal(bank.shard().moments, own_of(bank, saved.shard().moments)));
    }
  }
  // In another type rows are rounded from the raw ones.
  Bank narrow = make_learned(0, 1, at::kBFloat16);
  narrow.restore(saved.layout().state(), read);
  EXPECT_TRUE(at::equal(narrow.shard().rows.vectors, scored_rows(all.raw.to(at::kFloat)).to(at::kBFloat16)));
  // Rows as they score alone do not say how long they were, nor how they moved.
  const BankRowReader without = [&](Range keys) {
    BankBlock block = part_of(all, keys.begin, keys.size());
    block.moments = at::Tensor();
    return block;
  };
  EXPECT_THROW(make_learned(0, 1).restore(saved.layout().state(), without), std::invalid_argument);
  EXPECT_THROW(make_learned(0, 1).restore(BankLayout(kLearnedRows, 1, 6).state(), read), std::invalid_argument);
}

TEST(LearnedBank, ACopyHandsOutRowsAsTheyWere) {
  for (const std::int64_t first : {0, 4, 11}) {
    Bank bank = make_learned(1, 2);
    for (std::int64_t step = 0; step < 3; ++step) train(bank, step);
    const BankBlock then = learned_now(bank);
    const std::int64_t rows = then.ids.size(0);
    const std::shared_ptr<BankCopy> copy = bank.start_copy();
    ASSERT_EQ(copy->rows(), rows);
    if (first > 0) expect_same_rows(taken(*copy, first), then, 0);
    for (std::int64_t step = 3; step < 9; ++step) train(bank, step);
    EXPECT_FALSE(at::equal(bank.shard().raw, then.raw));
    for (std::int64_t row = first; row < rows; ++row) {
      const BankBlock one = taken(*copy, 1);
      expect_same_rows(one, then, row);
      EXPECT_TRUE(at::equal(one.raw[0], then.raw[row]));
      EXPECT_TRUE(at::equal(one.moments[0], then.moments[row]));
    }
    EXPECT_THROW(copy->next(1), std::out_of_range);
    EXPECT_THROW(dynamic_cast<LearnedCopy&>(*copy).next_raw(1), std::out_of_range);
  }
}

TEST(LearnedBank, ACopyIsReadWhileStepsGoOn) {
  Bank bank = make_learned(0, 1, at::kBFloat16);
  for (int round = 0; round < 20; ++round) {
    const BankBlock then = learned_now(bank);
    const std::shared_ptr<BankCopy> copy = bank.start_copy();
    std::atomic<bool> done{false};
    std::thread reader([&] {
      for (std::int64_t row = 0; row < kLearnedRows; ++row) expect_same_rows(taken(*copy, 1), then, row);
      done = true;
    });
    for (std::int64_t step = 1; !done; ++step) train(bank, 100 * round + step);
    reader.join();
  }
}

TEST(LearnedBank, RefusesWhatOthersTake) {
  Bank learned = make_learned(0, 1);
  const at::Tensor ids = at::arange(4, at::kLong);
  EXPECT_THROW(learned.enqueue(queries_of(0), ids, {}, 0, 4), std::invalid_argument);
  EXPECT_THROW(learned.train({{}, queries_of(0)}, kLearnedSgd, 0), std::invalid_argument);
  Bank queue({kLearnedRows, kLearnedWidth, at::kDouble, at::kCPU, BankFill::kRandom, kLearnedSeed, 6}, 0, 1);
  EXPECT_THROW(queue.train({{}, queue.shard().rows.vectors}, kLearnedSgd, 0), std::invalid_argument);
}

TEST(LearnedBank, RowsThatAreSetAreAtRest) {
  Bank bank = make_learned(0, 1);
  train(bank, 0);
  bank.replace(at::tensor({3, 1}, at::kLong), queries_of(7).narrow(0, 0, 2), {}, -1);
  EXPECT_TRUE(at::equal(bank.shard().raw[3], queries_of(7)[0]));
  EXPECT_TRUE(at::equal(bank.shard().rows.vectors[1], queries_of(7)[1]));
  EXPECT_EQ(bank.shard().moments[3].abs().max().item<double>(), 0.0);
  EXPECT_GT(bank.shard().moments[2].abs().max().item<double>(), 0.0);
  EXPECT_EQ(bank.written().count, kLearnedRows - 2);
}

}  // namespace
}  // namespace negatron
