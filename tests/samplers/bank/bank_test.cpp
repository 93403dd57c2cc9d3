#include "samplers/bank/bank.h"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/random/philox.h"
#include "tests/reference/plain_queue.h"

namespace negatron {
namespace {

constexpr std::int64_t kBankWidth = 3;
constexpr std::uint64_t kFillSeed = 42;

/// The slot whose key lies in this row, by the places of all slots; nothing for a hole or a key that has expired.
std::optional<std::int64_t> slot_in(const BankLayout& layout, int rank, std::int64_t row) {
  for (std::int64_t slot = 0; slot < layout.capacity(); ++slot) {
    const std::optional<BankPlace> place = layout.place_of(slot);
    if (place && place->rank == rank && place->row == row) return slot;
  }
  return std::nullopt;
}

/// The banks of all ranks beside the one queue that they must be equal to.
class Twin {
 public:
  Twin(std::int64_t rows, std::int64_t expected_batch, int ranks, BankFill fill) : queue_(rows), ranks_(ranks) {
    BankOptions options{rows, kBankWidth, at::kDouble, at::kCPU, fill, kFillSeed, expected_batch};
    for (int rank = 0; rank < ranks; ++rank) banks_.emplace_back(options, rank, ranks);
    if (fill == BankFill::kRandom) {
      const at::Tensor none = at::full({rows}, -1, at::kLong);
      queue_.enqueue(random_unit_rows(kFillSeed, 0, rows, kBankWidth), none, none, -1);
    }
  }

  void enqueue(std::int64_t size, std::int64_t step) {
    // Ids repeat, so that several rows hold the same sample.
    const at::Tensor ids = (at::arange(size, at::kLong) + next_key_).remainder(11);
    const at::Tensor labels = ids.remainder(3);
    const at::Tensor keys =
        (at::arange(size, at::kDouble) + static_cast<double>(next_key_)).unsqueeze(1) + at::tensor({0.0, 0.25, 0.5});
    next_key_ += size;
    queue_.enqueue(keys, ids, labels, step);
    for (int rank = 0; rank < ranks_; ++rank) {
      const Range own = share(size, ranks_, rank);
      const auto part = [&](const at::Tensor& all) { return all.narrow(0, own.begin, own.size()); };
      banks_[static_cast<std::size_t>(rank)].enqueue(part(keys), part(ids), part(labels), step, size);
    }
  }

  void expect_equal() const {
    std::set<std::int64_t> slots;
    std::int64_t valid_rows = 0;
    for (const testing::PlainQueue::Entry& entry : queue_.entries()) {
      const std::int64_t slot = queue_.slot_of(entry);
      slots.insert(slot);
      const std::optional<BankPlace> place = banks_[0].layout().place_of(slot);
      ASSERT_TRUE(place.has_value());
      const BankShard& shard = banks_.at(static_cast<std::size_t>(place->rank)).shard();
      EXPECT_TRUE(at::equal(shard.rows.vectors[place->row], entry.vector)) << "slot " << slot;
      EXPECT_EQ(shard.ids[place->row].item<std::int64_t>(), entry.id);
      EXPECT_EQ(shard.rows.slots[place->row].item<std::int64_t>(), slot);
      EXPECT_EQ(shard.rows.labels[place->row].item<std::int64_t>(), entry.label);
      EXPECT_EQ(shard.steps[place->row].item<std::int64_t>(), entry.step);
    }
    for (const Bank& bank : banks_) {
      EXPECT_EQ(bank.filled(), static_cast<std::int64_t>(slots.size()));
      valid_rows += expect_consistent_shard(bank);
    }
    EXPECT_EQ(valid_rows, static_cast<std::int64_t>(slots.size()));
  }

  /// Validity, leaves and the id index of one rank say the same as its layout. Returns the valid rows.
  static std::int64_t expect_consistent_shard(const Bank& bank) {
    const BankShard& shard = bank.shard();
    std::int64_t valid = 0;
    std::set<std::int64_t> rows_of_seven;
    for (const Leaf& leaf : shard.rows.leaves) {
      std::int64_t in_leaf = 0;
      for (std::int64_t row = leaf.begin; row < leaf.end; ++row) {
        const std::optional<std::int64_t> slot = slot_in(bank.layout(), bank.rank(), row);
        const bool counts = slot.has_value();
        EXPECT_EQ(shard.rows.slots[row].item<std::int64_t>(), slot.value_or(-1)) << "row " << row;
        in_leaf += counts ? 1 : 0;
        if (counts && shard.ids[row].item<std::int64_t>() == 7) rows_of_seven.insert(row);
        const bool may_score = !shard.rows.validity.defined() || shard.rows.validity[row].item<float>() == 0.0F;
        EXPECT_EQ(may_score, counts) << "row " << row;
      }
      EXPECT_EQ(leaf.valid, in_leaf);
      valid += in_leaf;
    }
    const at::Tensor found = bank.rows_with_ids(at::tensor({-1, 7}, at::kLong));
    std::set<std::int64_t> found_rows;
    for (std::int64_t i = 0; i < found.size(0); ++i) {
      EXPECT_EQ(found[i][0].item<std::int64_t>(), 1) << "an id below 0 matched";
      found_rows.insert(found[i][1].item<std::int64_t>());
    }
    EXPECT_EQ(found_rows, rows_of_seven);
    EXPECT_EQ(found.size(0), static_cast<std::int64_t>(rows_of_seven.size()));
    return valid;
  }

  /// The slots that may score, over all ranks, when rows written before `oldest_step` may not.
  std::set<std::int64_t> young_slots(std::int64_t oldest_step) const {
    std::set<std::int64_t> slots;
    for (const Bank& bank : banks_) {
      const Rows rows = bank.rows_no_older_than(oldest_step);
      for (const Leaf& leaf : rows.leaves) {
        std::int64_t in_leaf = 0;
        for (std::int64_t row = leaf.begin; row < leaf.end; ++row) {
          if (rows.validity.defined() && rows.validity[row].item<float>() != 0.0F) continue;
          ++in_leaf;
          slots.insert(rows.slots[row].item<std::int64_t>());
        }
        EXPECT_EQ(leaf.valid, in_leaf);
      }
    }
    return slots;
  }

  std::set<std::int64_t> plain_young_slots(std::int64_t oldest_step) const {
    std::set<std::int64_t> slots;
    for (const testing::PlainQueue::Entry& entry : queue_.entries()) {
      if (entry.step == -1 || entry.step >= oldest_step) slots.insert(queue_.slot_of(entry));
    }
    return slots;
  }

  const Bank& bank(int rank) const { return banks_.at(static_cast<std::size_t>(rank)); }

 private:
  testing::PlainQueue queue_;
  int ranks_;
  std::vector<Bank> banks_;
  std::int64_t next_key_ = 0;
};

TEST(Bank, EqualsOneQueueForAnyBatchesAndRanks) {
  for (int ranks = 1; ranks <= 5; ++ranks) {
    for (const std::int64_t rows : {1, 7, 16, 23}) {
      for (const BankFill fill : {BankFill::kEmpty, BankFill::kRandom}) {
        SCOPED_TRACE(::testing::Message() << "ranks " << ranks << " rows " << rows);
        Twin twin(rows, 5, ranks, fill);
        twin.expect_equal();
        CounterRng random(kFillSeed, Purpose::kEpochOrder, static_cast<std::uint64_t>(rows),
                          static_cast<std::uint64_t>(ranks));
        for (std::int64_t step = 0; step < 8; ++step) {
          // Mostly the expected size; also none, small ones, and more than the bank holds.
          const bool usual = random.below(2) == 0;
          twin.enqueue(usual ? 5 : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(rows) + 4)), step);
          twin.expect_equal();
        }
      }
    }
  }
}

TEST(Bank, SteadyStateHasNoHolesAndNoMask) {
  Twin twin(12, 4, 3, BankFill::kRandom);
  for (std::int64_t step = 0; step < 7; ++step) {
    twin.enqueue(4, step);
    for (int rank = 0; rank < 3; ++rank) {
      EXPECT_FALSE(twin.bank(rank).shard().rows.validity.defined());
      EXPECT_EQ(twin.bank(rank).shard().rows.vectors.size(0), rank == 0 ? 6 : 3);
    }
  }
}

TEST(Bank, RowsNoOlderThanAStep) {
  for (const BankFill fill : {BankFill::kEmpty, BankFill::kRandom}) {
    for (const int ranks : {1, 3}) {
      Twin twin(23, 5, ranks, fill);
      // Steady state, small batches, one larger than the bank.
      std::int64_t step = 0;
      for (const std::int64_t size : {5, 5, 2, 5, 5, 5, 5, 3, 40, 5, 5}) {
        twin.enqueue(size, step++);
        for (std::int64_t oldest = 0; oldest <= step; ++oldest) {
          EXPECT_EQ(twin.young_slots(oldest), twin.plain_young_slots(oldest)) << "step " << step << " from " << oldest;
        }
        twin.expect_equal();
      }
    }
  }
}

TEST(Bank, SaysHowLongItsRowsAreAndKeepsThem) {
  BankOptions options{6, kBankWidth, at::kFloat, at::kCPU, BankFill::kEmpty, 0, 4};
  EXPECT_EQ(Bank(options, 0, 1).shard().rows.length, RowLength::kUnit);
  options.length = RowLength::kAsMade;
  Bank bank(options, 0, 1);
  const at::Tensor keys = at::arange(12, at::kFloat).view({4, kBankWidth}) * 7.0;
  bank.enqueue(keys, at::arange(4, at::kLong), {}, 0, 4);
  EXPECT_EQ(bank.shard().rows.length, RowLength::kAsMade);
  EXPECT_EQ(bank.shard().rows.vectors.sum().item<double>(), keys.sum().item<double>());
  // A batch that the grid has no room for moves the shard.
  bank.enqueue(keys.repeat({2, 1}), at::arange(8, at::kLong), {}, 1, 8);
  EXPECT_EQ(bank.rows_no_older_than(1).length, RowLength::kAsMade);
  options.kind = BankKind::kLearned;
  EXPECT_THROW(Bank(options, 0, 1), std::invalid_argument);
}

TEST(Bank, ExampleOfTheLayoutHeader) {
  BankLayout layout(6, 2, 4);
  for (std::int64_t step = 0; step < 3; ++step) layout.append(4, step);
  EXPECT_EQ(slot_in(layout, 1, 0), 10 % 6);
  EXPECT_EQ(slot_in(layout, 1, 1), 6 % 6);
  EXPECT_EQ(slot_in(layout, 1, 2), 11 % 6);
  EXPECT_EQ(slot_in(layout, 1, 3), 7 % 6);
  EXPECT_EQ(slot_in(layout, 0, 1), std::nullopt) << "key 4 has expired";
}

TEST(Bank, MeanAgeCountsWrittenRowsOnly) {
  Twin twin(10, 4, 2, BankFill::kRandom);
  EXPECT_EQ(twin.bank(1).mean_age(5), 0.0);
  twin.enqueue(4, 5);
  twin.enqueue(2, 6);
  EXPECT_DOUBLE_EQ(twin.bank(1).mean_age(7), (4 * 2.0 + 2 * 1.0) / 6);
}

TEST(Bank, RandomRowsAreUnitAndDependOnSeed) {
  const at::Tensor rows = random_unit_rows(1, 0, 50, 16);
  EXPECT_TRUE(at::allclose(rows.norm(2, 1), at::ones({50}, at::kDouble)));
  EXPECT_TRUE(at::equal(rows.narrow(0, 20, 5), random_unit_rows(1, 20, 5, 16)));
  EXPECT_FALSE(at::equal(rows, random_unit_rows(2, 0, 50, 16)));
}

TEST(Bank, StoresNarrowTypes) {
  Bank bank(BankOptions{4, 2, at::kBFloat16, at::kCPU, BankFill::kEmpty, 0, 4}, 0, 1);
  const at::Tensor keys = at::tensor({0.6, 0.8, 1.0, 0.0, 0.0, 1.0, -1.0, 0.0}, at::kFloat).view({4, 2});
  bank.enqueue(keys, at::arange(4, at::kLong), at::Tensor(), 0, 4);
  EXPECT_EQ(bank.shard().rows.vectors.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(bank.shard().rows.vectors, keys.to(at::kBFloat16)));
  EXPECT_EQ(bank.shard().rows.labels[0].item<std::int64_t>(), -1);
}

TEST(Bank, RefusesWhatDoesNotFit) {
  const BankOptions good{4, 2, at::kFloat, at::kCPU, BankFill::kEmpty, 0, 4};
  const auto with = [&](auto change) {
    BankOptions options = good;
    change(options);
    return options;
  };
  EXPECT_THROW(Bank(with([](BankOptions& o) { o.rows = 0; }), 0, 1), std::invalid_argument);
  EXPECT_THROW(Bank(with([](BankOptions& o) { o.rows = std::int64_t{1} << 32; }), 0, 1), std::invalid_argument);
  EXPECT_THROW(Bank(with([](BankOptions& o) { o.width = 0; }), 0, 1), std::invalid_argument);
  EXPECT_THROW(Bank(with([](BankOptions& o) { o.global_batch = 0; }), 0, 1), std::invalid_argument);
  EXPECT_THROW(Bank(with([](BankOptions& o) { o.dtype = at::kLong; }), 0, 1), std::invalid_argument);
  Bank bank(good, 0, 2);
  const at::Tensor ids = at::arange(2, at::kLong);
  EXPECT_NO_THROW(bank.enqueue(at::ones({2, 2}), ids, at::Tensor(), 0, 4));
  EXPECT_THROW(bank.enqueue(at::ones({4, 2}), ids, at::Tensor(), 0, 4), std::invalid_argument);
  EXPECT_THROW(bank.enqueue(at::ones({2, 3}), ids, at::Tensor(), 0, 4), std::invalid_argument);
  EXPECT_THROW(bank.enqueue(at::ones({2, 2}), ids.to(at::kInt), at::Tensor(), 0, 4), std::invalid_argument);
  EXPECT_THROW(bank.enqueue(at::ones({2, 2}), ids, at::arange(3, at::kLong), 0, 4), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
