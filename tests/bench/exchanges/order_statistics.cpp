// The keys at two ranks of each query's order over the whole bank, by radix select: the ends of a window of ranks.

#include <memory>

#include "samplers/exchange/ranking/order_statistics.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

void order_statistics(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    auto bank = std::make_shared<const Bank>(testing::make_bank(comm, at::kBFloat16));
    Candidates candidates;
    candidates.queries = comm.all_gather(testing::make_queries(comm, testing::kGlobalBatch / comm.size()).queries);
    return [&comm, bank, candidates] {
      const std::vector<std::int64_t> window{testing::kHardest, testing::kRows / 2};
      keys_at_ranks(comm, bank->shard().rows, candidates, SelectionOrder{}, window);
    };
  });
}
BENCHMARK(order_statistics)->Name("exchanges/order_statistics")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
