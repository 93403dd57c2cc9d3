// Gradient through rows that were named: against autograd over the whole table on one device, with rows that several
// queries and ranks name, ranks that name none and shards that hold none; and its bytes.

#include "samplers/exchange/rows/listed_rows.h"

#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"

namespace negatron {
namespace {

constexpr std::int64_t kNamedRows = 7;
constexpr std::int64_t kNamedWidth = 3;
constexpr std::int64_t kNamingQueries = 5;

/// Row 3 is named by all, row 6 twice by one query, row 5 by nobody.
at::Tensor all_slots() {
  return at::tensor({3, 0, 1, 3, 6, 6, 3, 2, 4, 3, 0, 3, 1, 4, 2}, at::kLong).view({kNamingQueries, 3});
}

at::Tensor weights_of_entries() {
  return at::sin(at::arange(kNamingQueries * 3 * kNamedWidth, at::kDouble).view({kNamingQueries, 3, kNamedWidth}) +
                 1.0);
}

/// A loss that is not linear in the rows.
at::Tensor loss_of(const at::Tensor& vectors, const at::Tensor& weights) {
  return (weights * vectors).sum(2).exp().sum();
}

Bank named_bank(int rank, int ranks, at::ScalarType dtype = at::kDouble) {
  return Bank({kNamedRows, kNamedWidth, dtype, at::kCPU, BankFill::kRandom, 2, 4, BankKind::kParametric}, rank, ranks);
}

/// [K, d] by autograd over the whole table.
at::Tensor expected_gradient() {
  const Bank whole = named_bank(0, 1);
  const at::Tensor table = whole.shard().rows.vectors.clone().requires_grad_();
  const at::Tensor named = table.index_select(0, all_slots().flatten()).view({kNamingQueries, 3, kNamedWidth});
  return torch::autograd::grad({loss_of(named, weights_of_entries())}, {table}).front();
}

std::int64_t bytes_received(const Communicator& comm) {
  std::int64_t bytes = 0;
  for (const auto& [name, traffic] : comm.traffic().step()) bytes += traffic.bytes_received;
  return bytes;
}

/// Distinct rows of `slots` that lie on that rank.
std::int64_t own_among(const at::Tensor& slots, int ranks, int rank) {
  const Range own = share(kNamedRows, ranks, rank);
  const at::Tensor named = std::get<0>(at::_unique2(slots.flatten()));
  return ((named >= own.begin) & (named < own.end)).sum().item<std::int64_t>();
}

TEST(ListedRows, GradientIsThatOfTheWholeTable) {
  const at::Tensor expected = expected_gradient();
  // Of 6 ranks one has no query, of 9 some have neither queries nor rows.
  for (const int ranks : {1, 2, 3, 4, 6, 9}) {
    run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
      at::set_num_threads(1);
      const Bank bank = named_bank(comm.rank(), comm.size());
      const Range mine = share(kNamingQueries, comm.size(), comm.rank());
      const at::Tensor slots = all_slots().slice(0, mine.begin, mine.end);
      comm.traffic().start_step();
      ListedRows listed(comm, bank, all_slots(), share_sizes(kNamingQueries, ranks), at::kDouble);
      const std::int64_t others =
          std::get<0>(at::_unique2(slots.flatten())).size(0) - own_among(slots, ranks, comm.rank());
      EXPECT_EQ(bytes_received(comm), others * kNamedWidth * 8) << "nothing but rows";
      const Bank whole = named_bank(0, 1);
      EXPECT_TRUE(at::equal(listed.vectors().detach().flatten(0, 1),
                            whole.shard().rows.vectors.index_select(0, slots.flatten())));
      loss_of(listed.vectors(), weights_of_entries().slice(0, mine.begin, mine.end)).backward();
      comm.traffic().start_step();
      const GradientOfRows found = listed.gradient();
      const Range own = share(kNamedRows, comm.size(), comm.rank());
      EXPECT_TRUE(at::allclose(of_all_rows(found, own.size()), expected.slice(0, own.begin, own.end), 1e-13, 1e-14))
          << "rank " << comm.rank() << " of " << ranks;
      // Each row that another rank named comes once, and nothing that says which it is.
      std::int64_t came = 0;
      for (int other = 0; other < ranks; ++other) {
        if (other == comm.rank()) continue;
        const Range theirs = share(kNamingQueries, ranks, other);
        came += own_among(all_slots().slice(0, theirs.begin, theirs.end), ranks, comm.rank());
      }
      EXPECT_EQ(bytes_received(comm), came * kNamedWidth * 8);
    });
  }
}

TEST(ListedRows, OfARowThatNobodyUsedIsNone) {
  run_ranks(2, {.check = true}, [&](Communicator& comm) {
    const Bank bank = named_bank(comm.rank(), comm.size(), at::kBFloat16);
    ListedRows listed(comm, bank, at::full({2, 1}, 2, at::kLong), {1, 1}, at::kFloat);
    EXPECT_EQ(listed.vectors().scalar_type(), at::kFloat);
    // One of two ranks goes backward.
    if (comm.rank() == 1) listed.vectors().sum().backward();
    const at::Tensor found = of_all_rows(listed.gradient(), bank.shard().rows.vectors.size(0));
    EXPECT_EQ(found.sum().item<double>(), comm.rank() == 0 ? static_cast<double>(kNamedWidth) : 0.0);
  });
}

TEST(ListedRows, RefusesSlotsWithoutARow) {
  run_ranks(1, {}, [&](Communicator& comm) {
    const Bank bank = named_bank(0, 1);
    const auto of_slots = [&](std::int64_t slot) {
      ListedRows(comm, bank, at::full({2, 1}, slot, at::kLong), {2}, at::kDouble);
    };
    EXPECT_THROW(of_slots(-1), std::invalid_argument);
    EXPECT_THROW(of_slots(kNamedRows), std::invalid_argument);
    const at::Tensor slots = at::full({2, 1}, 1, at::kLong);
    EXPECT_THROW(ListedRows(comm, bank, slots, {3}, at::kDouble), std::invalid_argument);
    EXPECT_THROW(ListedRows(comm, bank, slots, {2, 0}, at::kDouble), std::invalid_argument);
  });
}

}  // namespace
}  // namespace negatron
