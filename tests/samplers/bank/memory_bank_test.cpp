// A memory bank: rows that belong to samples, against a plain one on one device.

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "samplers/bank/bank.h"
#include "samplers/random/philox.h"
#include "tests/reference/plain_memory.h"

namespace negatron {
namespace {

using testing::PlainMemory;

constexpr std::int64_t kMemoryRows = 23;
constexpr std::int64_t kMemoryWidth = 5;
constexpr std::uint64_t kMemorySeed = 4;

Bank make_memory(int rank, int ranks, at::ScalarType dtype = at::kDouble) {
  return {BankOptions{kMemoryRows, kMemoryWidth, dtype, at::kCPU, BankFill::kRandom, kMemorySeed, 6, BankKind::kMemory},
          rank, ranks};
}

/// Some samples, each once, in any order.
at::Tensor samples_of_step(std::int64_t step) {
  std::set<std::int64_t> drawn;
  CounterRng random(kMemorySeed, Purpose::kEvaluation, static_cast<std::uint64_t>(step), 0);
  while (drawn.size() < 6) drawn.insert(static_cast<std::int64_t>(random.below(kMemoryRows)));
  return at::tensor(std::vector<std::int64_t>(drawn.begin(), drawn.end()), at::kLong).flip(0);
}

at::Tensor features_of(const at::Tensor& ids, std::int64_t step) {
  const at::Tensor rows = at::sin(1.7 * ids.to(at::kDouble).unsqueeze(1) + at::arange(kMemoryWidth, at::kDouble) +
                                  static_cast<double>(3 * step));
  return rows / rows.norm(2, {1}, true);
}

/// Own rows become features, as a step with momentum 0 has it.
void replace_own(Bank& bank, const at::Tensor& ids, std::int64_t step) {
  const Range own = share(kMemoryRows, bank.layout().ranks(), bank.rank());
  const at::Tensor here = ids.masked_select((ids >= own.begin) & (ids < own.end));
  bank.replace(here - own.begin, features_of(here, step), here.remainder(3), step);
}

TEST(MemoryBank, HoldsTheRowOfEachSampleOnAnyNumberOfRanks) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    PlainMemory plain = PlainMemory::start(kMemoryRows, kMemoryWidth, kMemorySeed);
    std::vector<Bank> banks;
    for (int rank = 0; rank < ranks; ++rank) banks.push_back(make_memory(rank, ranks));
    for (std::int64_t step = 0; step < 5; ++step) {
      const at::Tensor ids = samples_of_step(step);
      plain.blend(ids, features_of(ids, step), ids.remainder(3), 0.0, step);
      for (Bank& bank : banks) replace_own(bank, ids, step);
    }
    WrittenRows written;
    for (const Bank& bank : banks) {
      const Range own = share(kMemoryRows, ranks, bank.rank());
      const BankShard& shard = bank.shard();
      EXPECT_TRUE(at::allclose(shard.rows.vectors, plain.rows.slice(0, own.begin, own.end), 1e-15, 1e-15));
      EXPECT_TRUE(at::equal(shard.rows.labels, plain.labels.slice(0, own.begin, own.end)));
      EXPECT_TRUE(at::equal(shard.steps, plain.steps.slice(0, own.begin, own.end)));
      EXPECT_TRUE(at::equal(shard.ids, at::arange(own.begin, own.end, at::kLong)));
      EXPECT_TRUE(at::equal(shard.rows.slots, shard.ids));
      EXPECT_FALSE(shard.rows.validity.defined());
      EXPECT_EQ(bank.filled(), kMemoryRows);
      written.count += bank.written().count;
      written.step_sum += bank.written().step_sum;
    }
    const at::Tensor counted = plain.steps.masked_select(plain.steps >= 0);
    EXPECT_EQ(written.count, counted.numel());
    EXPECT_EQ(written.step_sum, counted.sum().item<std::int64_t>());
  }
}

TEST(MemoryBank, FindsTheRowsOfSamples) {
  const at::Tensor ids = at::tensor({22, -1, 7, 8, 22}, at::kLong);
  std::vector<std::array<std::int64_t, 2>> found;  // [position, sample]
  for (int rank = 0; rank < 3; ++rank) {
    const at::Tensor pairs = make_memory(rank, 3).rows_with_ids(ids);
    for (std::int64_t i = 0; i < pairs.size(0); ++i) {
      const std::int64_t row = pairs[i][1].item<std::int64_t>();
      found.push_back({pairs[i][0].item<std::int64_t>(), row + share(kMemoryRows, 3, rank).begin});
    }
  }
  EXPECT_EQ(found, (std::vector<std::array<std::int64_t, 2>>{{2, 7}, {3, 8}, {0, 22}, {4, 22}}));
}

TEST(MemoryBank, RowsGrowOld) {
  Bank bank = make_memory(0, 1);
  replace_own(bank, at::tensor({2, 5}, at::kLong), 1);
  replace_own(bank, at::tensor({5, 9}, at::kLong), 4);
  const Rows young = bank.rows_no_older_than(4);
  std::int64_t valid = 0;
  for (const Leaf& leaf : young.leaves) valid += leaf.valid;
  EXPECT_EQ(valid, kMemoryRows - 1);
  EXPECT_TRUE(std::isinf(young.validity[2].item<float>()));
  EXPECT_EQ(young.validity[5].item<float>(), 0.0F);
  EXPECT_EQ(young.validity[0].item<float>(), 0.0F);
}

/// What a copy must hand out, from a bank that stands still.
BankBlock rows_now(const Bank& bank) {
  const BankShard& shard = bank.shard();
  return {shard.rows.vectors.clone(), shard.ids.clone(), shard.rows.labels.clone(), shard.steps.clone(),
          shard.ids.clone()};
}

void expect_equal(const BankBlock& found, const BankBlock& expected, std::int64_t begin) {
  const std::int64_t count = found.ids.size(0);
  const auto same = [&](const at::Tensor& one, const at::Tensor& all) {
    return at::equal(one, all.narrow(0, begin, count));
  };
  EXPECT_TRUE(same(found.vectors, expected.vectors));
  EXPECT_TRUE(same(found.ids, expected.ids));
  EXPECT_TRUE(same(found.labels, expected.labels));
  EXPECT_TRUE(same(found.steps, expected.steps));
  EXPECT_TRUE(same(found.sequence, expected.sequence));
}

TEST(MemoryBank, IsRestoredOnAnyNumberOfRanks) {
  Bank saved = make_memory(0, 1);
  for (std::int64_t step = 0; step < 3; ++step) replace_own(saved, samples_of_step(step), step);
  const BankBlock all = rows_now(saved);
  const BankRowReader read = [&](Range keys) { return part_of(all, keys.begin, keys.size()); };
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      Bank bank = make_memory(rank, ranks);
      bank.restore(saved.layout().state(), read);
      expect_equal(rows_now(bank), all, share(kMemoryRows, ranks, rank).begin);
      replace_own(bank, samples_of_step(3), 3);
      EXPECT_EQ(bank.written().count, (bank.shard().steps >= 0).sum().item<std::int64_t>());
    }
  }
  EXPECT_THROW(make_memory(0, 1).restore(BankLayout(kMemoryRows, 1, 6).state(), read), std::invalid_argument);
}

TEST(MemoryBank, ACopyHandsOutRowsAsTheyWere) {
  for (const std::int64_t first : {0, 4, 20, 23}) {
    Bank bank = make_memory(1, 2);
    for (std::int64_t step = 0; step < 3; ++step) replace_own(bank, samples_of_step(step), step);
    const BankBlock then = rows_now(bank);
    const std::int64_t rows = then.ids.size(0);
    const std::shared_ptr<BankCopy> copy = bank.start_copy();
    ASSERT_EQ(copy->rows(), rows);
    const std::int64_t before = std::min(first, rows);
    if (before > 0) expect_equal(copy->next(before), then, 0);
    for (std::int64_t step = 3; step < 30; ++step) replace_own(bank, samples_of_step(step), step);
    EXPECT_LE(copy->rows_set_aside(), rows - before);
    EXPECT_FALSE(at::equal(rows_now(bank).vectors, then.vectors));
    for (std::int64_t row = before; row < rows; ++row) expect_equal(copy->next(1), then, row);
    EXPECT_EQ(copy->rows_set_aside(), 0);
    EXPECT_THROW(copy->next(1), std::out_of_range);
  }
}

/// As an index is made anew: then nothing is set aside row by row.
TEST(MemoryBank, ACopyKeepsItsTensorsWhenAllRowsAreReplaced) {
  Bank bank = make_memory(0, 1);
  const BankBlock then = rows_now(bank);
  const std::shared_ptr<BankCopy> copy = bank.start_copy();
  expect_equal(copy->next(4), then, 0);
  replace_own(bank, samples_of_step(3), 3);
  const auto aside = copy->rows_set_aside();
  const at::Tensor all = at::arange(kMemoryRows, at::kLong);
  bank.replace(all, features_of(all, 5), all.remainder(2), 5);
  replace_own(bank, samples_of_step(6), 6);
  EXPECT_EQ(copy->rows_set_aside(), aside);
  for (std::int64_t row = 4; row < kMemoryRows; ++row) expect_equal(copy->next(1), then, row);
  EXPECT_EQ(bank.written().count, kMemoryRows);
}

TEST(MemoryBank, ACopyIsReadWhileStepsGoOn) {
  Bank bank = make_memory(0, 1, at::kBFloat16);
  for (int round = 0; round < 50; ++round) {
    const BankBlock then = rows_now(bank);
    const std::shared_ptr<BankCopy> copy = bank.start_copy();
    std::atomic<bool> done{false};
    std::thread reader([&] {
      for (std::int64_t row = 0; row < kMemoryRows; ++row) expect_equal(copy->next(1), then, row);
      done = true;
    });
    for (std::int64_t step = 1; !done; ++step) replace_own(bank, samples_of_step(step), 100 * round + step);
    reader.join();
  }
}

TEST(MemoryBank, RefusesWhatAQueueTakes) {
  Bank memory = make_memory(0, 1);
  const at::Tensor ids = at::arange(6, at::kLong);
  EXPECT_THROW(memory.enqueue(features_of(ids, 0), ids, {}, 0, 6), std::invalid_argument);
  EXPECT_THROW(memory.replace(ids, features_of(ids, 0).narrow(0, 0, 5), {}, 0), std::invalid_argument);
  Bank queue({kMemoryRows, kMemoryWidth, at::kDouble, at::kCPU, BankFill::kRandom, kMemorySeed, 6}, 0, 1);
  EXPECT_THROW(queue.replace(ids, features_of(ids, 0), {}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
