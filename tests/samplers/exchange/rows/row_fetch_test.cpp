#include "samplers/exchange/rows/row_fetch.h"

#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

using testing::make_scene;
using testing::Scene;

constexpr std::int64_t kAsked = 9;

/// By slot.
struct Whole {
  at::Tensor rows;
  at::Tensor labels;
};

Whole whole_bank(const Scene& scene) {
  const testing::PlainBank bank = testing::make_plain_bank(scene);
  const at::Tensor order = std::get<1>(bank.rows.slots.sort());
  return {bank.rows.vectors.index_select(0, order), bank.rows.labels.index_select(0, order)};
}

/// Slots for all queries, some -1, many asked for more than once, also by several ranks.
at::Tensor slots_for(const Scene& scene) {
  const std::int64_t queries = scene.queries.size(0);
  return (at::arange(queries * kAsked, at::kLong) * 7).remainder(29).view({queries, kAsked}) - 1;
}

TEST(RowFetch, BringsEachDistinctRowOnce) {
  for (const at::ScalarType type : {at::kDouble, at::kBFloat16}) {
    const Scene scene = make_scene(7, type == at::kBFloat16 ? at::kFloat : type);
    Scene stored = scene;
    stored.bank.dtype = type;
    const Whole whole = whole_bank(stored);
    const auto element = static_cast<std::int64_t>(at::elementSize(type));
    for (int ranks = 1; ranks <= 4; ++ranks) {
      run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
        at::set_num_threads(1);
        const Bank bank = testing::make_bank(stored, comm);
        const at::Tensor slots = testing::part(slots_for(scene), comm);
        comm.traffic().start_step();
        const FetchedRows fetched = fetch_rows(comm, bank, slots);
        EXPECT_EQ(fetched.rows.scalar_type(), type);
        EXPECT_TRUE(at::equal(fetched.index < 0, slots < 0));
        const at::Tensor asked = slots.masked_select(slots >= 0);
        const at::Tensor index = fetched.index.masked_select(slots >= 0);
        EXPECT_TRUE(at::equal(fetched.rows.index_select(0, index), whole.rows.index_select(0, asked)));
        EXPECT_TRUE(at::equal(fetched.labels.index_select(0, index), whole.labels.index_select(0, asked)));

        std::int64_t from_others = 0;
        std::int64_t asked_of_this = 0;
        for (int rank = 0; rank < comm.size(); ++rank) {
          const Range queries = share(7, comm.size(), rank);
          const at::Tensor theirs = slots_for(scene).narrow(0, queries.begin, queries.size()).flatten();
          const at::Tensor distinct = std::get<0>(at::_unique2(theirs.masked_select(theirs >= 0)));
          const at::Tensor owners = bank.layout().places_of(distinct).ranks;
          if (rank == comm.rank()) {
            EXPECT_EQ(fetched.rows.size(0), distinct.size(0));
            from_others = (owners != rank).sum().item<std::int64_t>();
          } else {
            asked_of_this += (owners == comm.rank()).sum().item<std::int64_t>();
          }
        }
        std::int64_t bytes = 0;
        for (const auto& [name, traffic] : comm.traffic().step()) bytes += traffic.bytes_received;
        EXPECT_EQ(bytes, from_others * (scene.bank.width * element + 8) + 8 * asked_of_this + 8 * (comm.size() - 1));
      });
    }
  }
}

TEST(RowFetch, RefusesSlotsWithoutARow) {
  Scene scene = make_scene(2);
  scene.batches = {4};
  run_ranks(1, {}, [&](Communicator& comm) {
    const Bank bank = testing::make_bank(scene, comm);
    EXPECT_THROW(fetch_rows(comm, bank, at::full({2, 1}, 4, at::kLong)), std::invalid_argument);
    EXPECT_THROW(fetch_rows(comm, bank, at::full({2, 1}, scene.bank.rows, at::kLong)), std::invalid_argument);
  });
}

TEST(BankPlaces, EqualThePlaceOfEachSlot) {
  for (const std::vector<std::int64_t>& batches : {std::vector<std::int64_t>{8, 5}, make_scene().batches}) {
    Scene scene = make_scene();
    scene.batches = batches;
    const testing::PlainBank plain = testing::make_plain_bank(scene);
    run_ranks(3, {}, [&](Communicator& comm) {
      const Bank bank = testing::make_bank(scene, comm);
      const at::Tensor slots = at::arange(-1, scene.bank.rows, at::kLong).view({2, -1});
      const BankPlaces places = bank.layout().places_of(slots);
      for (std::int64_t i = 0; i < slots.numel(); ++i) {
        const auto slot = slots.flatten()[i].item<std::int64_t>();
        const std::optional<BankPlace> place = slot < 0 ? std::nullopt : bank.layout().place_of(slot);
        EXPECT_EQ(places.ranks.flatten()[i].item<std::int64_t>(), place ? place->rank : -1);
        EXPECT_EQ(places.rows.flatten()[i].item<std::int64_t>(), place ? place->row : -1);
      }
      for (std::int64_t row = 0; row < plain.ids.size(0); ++row) {
        const std::optional<BankOrigin> origin = bank.layout().origin_of(plain.rows.slots[row].item<std::int64_t>());
        ASSERT_TRUE(origin.has_value());
        EXPECT_EQ(origin->batch_size, plain.batch_sizes[row].item<std::int64_t>());
        EXPECT_EQ(origin->offset, plain.offsets[row].item<std::int64_t>());
      }
    });
  }
}

}  // namespace
}  // namespace negatron
