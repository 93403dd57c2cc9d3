// Routes to rows: what a rank asks for by messages and what all ranks know without them come to the same, for queues
// and for rows that stay, with repeated slots, ranks that name nothing, ranks that own nothing and one that owns all.

#include "samplers/exchange/rows/row_route.h"

#include <numeric>

#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"

namespace negatron {
namespace {

constexpr std::int64_t kRoutedRows = 11;

Bank routed_bank(const Communicator& comm, BankKind kind) {
  Bank bank({kRoutedRows, 2, at::kFloat, at::kCPU, BankFill::kRandom, 4, 4, kind}, comm.rank(), comm.size());
  if (kind != BankKind::kQueue) return bank;
  // Batches of different sizes, so that the ring has turned and slots of neighbours lie anywhere.
  for (const std::int64_t size : {4, 7, 3}) {
    const std::int64_t own = share(size, comm.size(), comm.rank()).size();
    bank.enqueue(at::ones({own, 2}), at::full({own}, -1, at::kLong), {}, 0, size);
  }
  return bank;
}

struct NamedSlots {
  at::Tensor all;
  std::vector<std::int64_t> counts;
};

/// Many slots, several times and by several ranks; some of no row.
NamedSlots scattered(int ranks) {
  return {(at::arange(26, at::kLong) * 5).remainder(kRoutedRows + 1) - 1, share_sizes(26, ranks)};
}

/// All of one row, by the last rank.
NamedSlots of_one_row(int ranks) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(ranks));
  counts.back() = 5;
  return {at::full({5}, 6, at::kLong), counts};
}

NamedSlots of_nobody(int ranks) {
  return {at::empty({0}, at::kLong), std::vector<std::int64_t>(static_cast<std::size_t>(ranks))};
}

TEST(RowRoute, IsTheSameAskedOrKnown) {
  for (const BankKind kind : {BankKind::kQueue, BankKind::kMemory}) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      for (const auto& make : {scattered, of_one_row, of_nobody}) {
        run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
          const Bank bank = routed_bank(comm, kind);
          const NamedSlots named = make(ranks);
          const auto before = named.counts.begin() + comm.rank();
          const std::int64_t begin = std::accumulate(named.counts.begin(), before, std::int64_t{0});
          const at::Tensor own = named.all.narrow(0, begin, *before);
          const RowRoute asked = asked_row_route(comm, bank, own);
          comm.traffic().start_step();
          const RowRoute known = known_row_route(bank, named.all, named.counts);
          EXPECT_TRUE(comm.traffic().step().empty());
          EXPECT_EQ(asked.asked, known.asked);
          EXPECT_EQ(asked.asked_of_us, known.asked_of_us);
          EXPECT_EQ(asked.wanted, known.wanted);
          EXPECT_EQ(asked.own, known.own);
          EXPECT_EQ(asked.index, known.index);
          EXPECT_EQ(asked.namings.begins, known.namings.begins);
          EXPECT_EQ(asked.namings.places, known.namings.places);
          EXPECT_EQ(known.asked[static_cast<std::size_t>(comm.rank())], 0) << "own rows do not travel";

          // Each entry comes to the row of its slot.
          const at::Tensor wanted = at::tensor(known.wanted, at::kLong);
          const at::Tensor slots_here = bank.shard().rows.slots;
          const at::Tensor came = start_to_askers(comm, known, slots_here.index_select(0, wanted)).wait();
          const at::Tensor places = at::cat({came, slots_here.index_select(0, at::tensor(known.own, at::kLong))});
          for (std::int64_t entry = 0; entry < own.size(0); ++entry) {
            const std::int64_t place = known.index[static_cast<std::size_t>(entry)];
            const auto slot = own[entry].item<std::int64_t>();
            ASSERT_EQ(place < 0, slot < 0);
            if (slot < 0) continue;
            EXPECT_EQ(places[place].item<std::int64_t>(), slot);
          }
          // And back: what goes to the owners is of the rows that were wanted.
          EXPECT_TRUE(at::equal(to_owners(comm, known, came), slots_here.index_select(0, wanted)));
        });
      }
    }
  }
}

/// Or the others would wait for the rank that named it.
TEST(RowRoute, ASlotWithoutARowIsRefusedByAllRanks) {
  for (const BankKind kind : {BankKind::kQueue, BankKind::kMemory}) {
    run_ranks(3, {}, [&](Communicator& comm) {
      const Bank bank = routed_bank(comm, kind);
      const at::Tensor slots = at::tensor({std::int64_t{1}, kRoutedRows, std::int64_t{2}}, at::kLong);
      EXPECT_THROW(known_row_route(bank, slots, {1, 1, 1}), std::invalid_argument) << comm.rank();
    });
  }
}

TEST(RowRoute, NamesEachRowByAllOfItsEntries) {
  // Slots 7, 3, 7, none on rank 0 of two, where rows 0 to 5 lie on rank 0: one row of rank 1, named by entries 0 and 2.
  run_ranks(2, {.check = true}, [](Communicator& comm) {
    const Bank bank = routed_bank(comm, BankKind::kMemory);
    const RowRoute route = known_row_route(bank, at::tensor({7, 3, 7, -1}, at::kLong), {4, 0});
    using Numbers = std::vector<std::int64_t>;
    if (comm.rank() == 0) {
      EXPECT_EQ(route.asked, (Numbers{0, 1}));
      EXPECT_EQ(route.asked_of_others(), 1);
      EXPECT_EQ(route.own, (Numbers{3}));
      EXPECT_EQ(route.index, (Numbers{0, 1, 0, -1}));
      EXPECT_EQ(route.namings.places, (Numbers{0, 2}));
    } else {
      EXPECT_EQ(route.asked_of_us, (Numbers{1, 0}));
      EXPECT_EQ(route.wanted, (Numbers{1}));
      EXPECT_EQ(route.asked_of_others(), 0);
    }
  });
}

}  // namespace
}  // namespace negatron
