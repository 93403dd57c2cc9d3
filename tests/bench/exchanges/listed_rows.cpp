// Rows of a parametric bank that queries name: fetched, differentiated and pushed back, beside all_to_alls of the same
// bytes.

#include <memory>

#include "comm/share.h"
#include "samplers/exchange/rows/listed_rows.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

/// Of each query.
constexpr std::int64_t kNamed = 16;

/// Spread over all rows, no two alike.
at::Tensor named_slots(const Communicator& comm) {
  const Range own = share(testing::kGlobalBatch, comm.size(), comm.rank());
  const at::Tensor entries = at::arange(own.begin * kNamed, own.end * kNamed, at::kLong);
  constexpr std::int64_t kStride = 7919;  // a prime: no row comes twice
  return (entries * kStride).remainder(testing::kRows).view({own.size(), kNamed});
}

void fetch_and_push(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    const auto bank = std::make_shared<const Bank>(
        BankOptions{testing::kRows, testing::kWidth, at::kFloat, at::kCPU, BankFill::kRandom, testing::kBankSeed,
                    testing::kGlobalBatch, BankKind::kParametric},
        comm.rank(), comm.size());
    return [&comm, bank, slots = named_slots(comm)] {
      ListedRows listed(comm, *bank, slots, at::kFloat);
      listed.vectors().sum().backward();
      listed.gradient();
    };
  });
}
BENCHMARK(fetch_and_push)->Name("exchanges/listed_rows")->Apply(over_ranks);

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
