// Rows of a parametric bank that queries name: fetched, differentiated and pushed back, beside all_to_alls of the same
// bytes; and rows that are asked for.

#include <memory>

#include "comm/share.h"
#include "samplers/exchange/rows/listed_rows.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

/// Of each query.
constexpr std::int64_t kNamed = 16;

/// [Bg, kNamed] of all queries, spread over all rows, no two alike.
at::Tensor named_slots() {
  const at::Tensor entries = at::arange(testing::kGlobalBatch * kNamed, at::kLong);
  constexpr std::int64_t kStride = 7919;  // a prime: no row comes twice
  return (entries * kStride).remainder(testing::kRows).view({testing::kGlobalBatch, kNamed});
}

std::shared_ptr<const Bank> make_rows(const Communicator& comm) {
  return std::make_shared<const Bank>(
      BankOptions{testing::kRows, testing::kWidth, at::kFloat, at::kCPU, BankFill::kRandom, testing::kBankSeed,
                  testing::kGlobalBatch, BankKind::kParametric},
      comm.rank(), comm.size());
}

void fetch_and_push(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    const std::vector<std::int64_t> queries = share_sizes(testing::kGlobalBatch, comm.size());
    // What a loss leaves, made beforehand: the time of a loss is not that of the exchange.
    const at::Tensor arriving =
        at::ones({queries[static_cast<std::size_t>(comm.rank())], kNamed, testing::kWidth}, at::kFloat);
    return [&comm, queries, arriving, bank = make_rows(comm), slots = named_slots()] {
      ListedRows listed(comm, *bank, slots, queries, at::kFloat);
      listed.vectors().backward(arriving);
      listed.gradient();
    };
  });
}
BENCHMARK(fetch_and_push)->Name("exchanges/listed_rows")->Apply(over_ranks);

/// Rows that each rank asks for, of which the others know nothing.
void fetch(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    const Range own = share(testing::kGlobalBatch, comm.size(), comm.rank());
    return [&comm, bank = make_rows(comm), slots = named_slots().slice(0, own.begin, own.end)] {
      fetch_rows(comm, *bank, slots);
    };
  });
}
BENCHMARK(fetch)->Name("exchanges/fetched_rows")->Apply(over_ranks);

/// Each rank as much with each other one: the rows, and as much back.
void same_bytes(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    const std::int64_t own = share(testing::kGlobalBatch, comm.size(), comm.rank()).size() * kNamed;
    const std::vector<std::int64_t> counts = share_sizes(own, comm.size());
    std::vector<std::int64_t> back;
    for (int rank = 0; rank < comm.size(); ++rank) {
      const std::int64_t theirs = share(testing::kGlobalBatch, comm.size(), rank).size() * kNamed;
      back.push_back(share(theirs, comm.size(), comm.rank()).size());
    }
    std::int64_t received = 0;
    for (const std::int64_t count : back) received += count;
    const at::Tensor out = at::ones({received, testing::kWidth});
    const at::Tensor in = at::ones({own, testing::kWidth});
    return [&comm, counts, back, out, in] {
      comm.all_to_all(out, back, counts);
      comm.all_to_all(in, counts, back);
    };
  });
}
BENCHMARK(same_bytes)->Name("exchanges/listed_rows_bytes")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
