#include "samplers/bank/bank_copy.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "samplers/bank/bank.h"
#include "samplers/random/philox.h"

namespace negatron {
namespace {

constexpr std::int64_t kWidth = 3;
constexpr std::int64_t kRows = 23;
constexpr std::int64_t kCopyAfter = 9;
constexpr std::int64_t kStepsDuring = 12;
constexpr std::uint64_t kSeed = 3;

/// Keys are their sequence numbers.
struct Stream {
  std::vector<std::int64_t> batches;
  BankFill fill = BankFill::kEmpty;
  std::int64_t next = 0;

  Bank bank(int rank, int ranks) {
    if (fill == BankFill::kRandom) next = kRows;
    return {BankOptions{kRows, kWidth, at::kDouble, at::kCPU, fill, kSeed, batches.front()}, rank, ranks};
  }
  void step(Bank& bank, std::int64_t step) {
    const std::int64_t size = batches[static_cast<std::size_t>(step) % batches.size()];
    const Range own = share(size, bank.layout().ranks(), bank.rank());
    const at::Tensor numbers = at::arange(next + own.begin, next + own.end, at::kLong);
    bank.enqueue(numbers.to(at::kDouble).unsqueeze(1).expand({-1, kWidth}), numbers, numbers + 1, step, size);
    next += size;
  }
};

struct Row {
  std::int64_t sequence = 0;
  double value = 0.0;
  std::int64_t id = 0;
  std::int64_t label = 0;
  std::int64_t step = 0;
  friend bool operator==(const Row&, const Row&) = default;
};

void append(std::vector<Row>& rows, const BankBlock& block) {
  for (std::int64_t i = 0; i < block.ids.size(0); ++i) {
    EXPECT_TRUE(at::equal(block.vectors[i], block.vectors[i][0].expand({kWidth})) ||
                block.ids[i].item<std::int64_t>() < 0);
    rows.push_back({block.sequence[i].item<std::int64_t>(), block.vectors[i][0].item<double>(),
                    block.ids[i].item<std::int64_t>(), block.labels[i].item<std::int64_t>(),
                    block.steps[i].item<std::int64_t>()});
  }
}

/// What a copy must hand out, by definition, from a bank that stands still.
std::vector<Row> rows_of(const Bank& bank) {
  std::vector<Row> rows;
  const BankShard& shard = bank.shard();
  for (const BankBatch& batch : bank.layout().batches()) {
    for (std::int64_t key = std::max(batch.start, bank.layout().floor()); key < batch.end(); ++key) {
      const std::optional<BankPlace> place = bank.layout().place_of(key % kRows);
      if (place->rank != bank.rank()) continue;
      rows.push_back({key, shard.rows.vectors[place->row][0].item<double>(), shard.ids[place->row].item<std::int64_t>(),
                      shard.rows.labels[place->row].item<std::int64_t>(), batch.step});
    }
  }
  return rows;
}

const std::vector<std::vector<std::int64_t>> kBatchSizes{{6}, {1}, {6, 2, 5}, {5, 5, 5, 5, 40}, {4, 1, 1, 1, 1, 9}};

TEST(BankCopy, EqualsTheBankOfItsStepWhileTrainingGoesOn) {
  CounterRng random(kSeed, Purpose::kEpochOrder, 0, 0);
  for (const std::vector<std::int64_t>& batches : kBatchSizes) {
    for (const BankFill fill : {BankFill::kEmpty, BankFill::kRandom}) {
      for (const int ranks : {1, 3, 5}) {
        for (int rank = 0; rank < ranks; ++rank) {
          Stream stream{batches, fill};
          Bank bank = stream.bank(rank, ranks);
          for (std::int64_t step = 0; step < kCopyAfter; ++step) stream.step(bank, step);
          const std::vector<Row> expected = rows_of(bank);
          const std::shared_ptr<BankCopy> copy = bank.start_copy();
          ASSERT_EQ(copy->rows(), static_cast<std::int64_t>(expected.size()));
          std::vector<Row> found;
          const auto left = [&] { return copy->rows() - static_cast<std::int64_t>(found.size()); };
          for (std::int64_t step = kCopyAfter; step < kCopyAfter + kStepsDuring; ++step) {
            if (random.below(3) == 0) append(found, copy->next(std::min<std::int64_t>(left(), 2)));
            stream.step(bank, step);
            EXPECT_LE(copy->rows_set_aside(), left());
          }
          append(found, copy->next(left()));
          EXPECT_EQ(found, expected) << "rank " << rank << " of " << ranks;
          EXPECT_EQ(copy->rows_set_aside(), 0);
          EXPECT_THROW(copy->next(1), std::out_of_range);
        }
      }
    }
  }
}

TEST(BankCopy, SetsAsideOnlyWhatWasNotReadYet) {
  Stream stream{{6}, BankFill::kRandom};
  Bank bank = stream.bank(0, 1);
  const std::shared_ptr<BankCopy> copy = bank.start_copy();
  copy->next(4);
  stream.step(bank, 0);
  EXPECT_EQ(copy->rows_set_aside(), 2);
  copy->next(10);
  stream.step(bank, 1);
  EXPECT_EQ(copy->rows_set_aside(), 0);
}

TEST(BankCopy, AThreadReadsWhileAnotherEnqueues) {
  constexpr int kCopies = 30;
  Stream stream{{5, 3}, BankFill::kRandom};
  Bank bank = stream.bank(0, 1);
  std::int64_t step = 0;
  for (int i = 0; i < kCopies; ++i) {
    const std::vector<Row> expected = rows_of(bank);
    const std::shared_ptr<BankCopy> copy = bank.start_copy();
    std::vector<Row> found;
    std::atomic<bool> done = false;
    std::thread reader([&] {
      while (static_cast<std::int64_t>(found.size()) < copy->rows()) append(found, copy->next(1));
      done = true;
    });
    while (!done) stream.step(bank, step++);
    reader.join();
    EXPECT_EQ(found, expected);
  }
}

TEST(BankLayoutState, GivesTheSameLayout) {
  BankLayout layout(kRows, 3, 6);
  for (std::int64_t step = 0; step < 20; ++step) layout.append(1 + step % 8, step);
  BankLayout again(layout.state(), 3);
  for (std::int64_t step = 20; step < 40; ++step) {
    for (std::int64_t slot = 0; slot < kRows; ++slot) {
      ASSERT_EQ(again.place_of(slot)->rank, layout.place_of(slot)->rank);
      ASSERT_EQ(again.place_of(slot)->row, layout.place_of(slot)->row);
    }
    ASSERT_EQ(again.mean_age(step), layout.mean_age(step));
    layout.append(1 + step % 8, step);
    again.append(1 + step % 8, step);
  }
}

TEST(BankLayoutState, RefusesWhatContradictsItself) {
  BankLayout layout(kRows, 3, 6);
  for (std::int64_t step = 0; step < 20; ++step) layout.append(5, step);
  const auto with = [&](auto change) {
    BankLayoutState state = layout.state();
    change(state);
    return BankLayout(state, 3);
  };
  EXPECT_NO_THROW(with([](BankLayoutState&) {}));
  EXPECT_THROW(with([](BankLayoutState& s) { s.capacity = 0; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { s.capacity = 50; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { s.columns = 2; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { s.columns = s.height = std::int64_t{1} << 39; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { s.height = 4; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { ++s.head; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { ++s.next_number; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { ++s.batches[1].start; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { s.batches[1].size = 0; }), std::invalid_argument);
  EXPECT_THROW(with([](BankLayoutState& s) { s.batches.clear(); }), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
