#include "samplers/exchange/nearest_samples.h"

#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron {
namespace {

constexpr std::int64_t kIndexed = 1100;  // more than one block of queries on one rank, fewer on the others
constexpr std::int64_t kIndexWidth = 4;

/// Every fifth row is that of the sample before it, so that scores tie.
at::Tensor indexed_rows(std::int64_t count, at::ScalarType type) {
  at::Tensor rows = random_unit_rows(8, 0, count, kIndexWidth).to(at::kDouble);
  for (std::int64_t i = 5; i < count; i += 5) rows[i].copy_(rows[i - 1]);
  return rows.to(type);
}

/// By the definition: others by falling score, fp64 rounded to fp32, ties by number.
at::Tensor plain_nearest(const at::Tensor& rows, std::int64_t nearest) {
  const std::int64_t count = rows.size(0);
  const at::Tensor wide = rows.to(at::kDouble);
  const at::Tensor scores = wide.mm(wide.t()).to(at::kFloat).fill_diagonal_(-std::numeric_limits<float>::infinity());
  const at::Tensor order = std::get<1>(scores.sort(/*stable=*/true, 1, /*descending=*/true));
  const std::int64_t there = std::min(nearest, count - 1);
  at::Tensor found = at::full({count, nearest}, -1, at::kLong);
  found.narrow(1, 0, there).copy_(order.narrow(1, 0, there));
  return found;
}

Bank indexed_bank(const at::Tensor& rows, const Communicator& comm) {
  const std::int64_t count = rows.size(0);
  Bank bank({count, kIndexWidth, rows.scalar_type(), at::kCPU, BankFill::kRandom, 0, 16, BankKind::kIndex}, comm.rank(),
            comm.size());
  const Range own = share(count, comm.size(), comm.rank());
  bank.replace(at::arange(own.size(), at::kLong), rows.slice(0, own.begin, own.end), {}, 3);
  return bank;
}

/// [n, nearest]
at::Tensor all_nearest(Communicator& comm, const Bank& bank, BankExchange& exchange, std::int64_t nearest,
                       const std::function<void()>& pause = {}) {
  at::Tensor found = at::full({bank.shard().rows.vectors.size(0), nearest}, -2, at::kLong);
  nearest_samples(
      comm, bank, exchange, nearest,
      [&](const Range& rows, const at::Tensor& near) { found.slice(0, rows.begin, rows.end).copy_(near); }, pause);
  return found;
}

TEST(NearestSamples, AreThoseOfAPlainSearchOnAnyNumberOfRanks) {
  for (const auto& [count, nearest] : {std::pair<std::int64_t, std::int64_t>{kIndexed, 9}, {7, 3}, {5, 8}, {3, 1}}) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
      const at::Tensor rows = indexed_rows(count, type);
      const at::Tensor expected = plain_nearest(rows, nearest);
      for (const int ranks : {1, 2, 3, 4}) {
        int pauses_of_0 = 0;
        run_ranks(ranks, {.check = true}, [&, count = count, nearest = nearest](Communicator& comm) {
          at::set_num_threads(1);
          const Bank bank = indexed_bank(rows, comm);
          BankExchange exchange;
          int pauses = 0;
          const at::Tensor found = all_nearest(comm, bank, exchange, nearest, [&] {
            ++pauses;
            comm.barrier();
          });
          const Range own = share(count, comm.size(), comm.rank());
          EXPECT_TRUE(at::equal(found, expected.slice(0, own.begin, own.end))) << count << " on " << ranks;
          if (comm.rank() == 0) pauses_of_0 = pauses;
        });
        EXPECT_EQ(pauses_of_0, (share(count, ranks, 0).size() + 511) / 512);
      }
    }
  }
}

TEST(NearestSamples, LeaveTheSearchOfTrainingAsItWas) {
  run_ranks(3, {.check = true}, [](Communicator& comm) {
    at::set_num_threads(1);
    // Whose neighbours lie on one shard each, so that short lists do not do.
    const at::Tensor turns = at::arange(kIndexed, at::kDouble) / static_cast<double>(kIndexed);
    const at::Tensor rows = at::stack({turns.cos(), turns.sin(), at::zeros_like(turns), at::zeros_like(turns)}, 1);
    const Bank bank = indexed_bank(rows, comm);
    BankExchange exchange;
    exchange.hard_set_search().restore_stretch(1.25);
    all_nearest(comm, bank, exchange, 60);
    EXPECT_GT(exchange.hard_set_search().last_fallback_rate(), 0.5);
    EXPECT_EQ(exchange.hard_set_search().stretch(), 1.25);
  });
}

TEST(NearestSamples, NeedABankWhoseRowsHaveSamples) {
  run_ranks(1, {}, [](Communicator& comm) {
    BankExchange exchange;
    const Bank queue({8, kIndexWidth, at::kFloat, at::kCPU, BankFill::kRandom, 0, 4}, 0, 1);
    EXPECT_THROW(all_nearest(comm, queue, exchange, 3), std::invalid_argument);
  });
}

}  // namespace
}  // namespace negatron
