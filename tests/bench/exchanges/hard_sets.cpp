// Searching the 1024 hardest rows of each query by certified short lists. "full_lists" is what lists of 1024 from every
// other shard would have been, bytes; "fallback" the share of queries that needed the further round.

#include <memory>

#include "samplers/exchange/ranking/hard_set.h"
#include "samplers/pass/device_pass.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

void hard_sets(benchmark::State& state) {
  double fallback = 0.0;
  const std::int64_t ranks = state.range(0);
  measure_ranks(state, [&fallback](Communicator& comm) -> Exchange {
    auto bank = std::make_shared<const Bank>(testing::make_bank(comm, at::kBFloat16));
    auto pass = std::make_shared<const DevicePass>();
    auto search = std::make_shared<HardSetSearch>(*pass);
    const QueryBatch batch = testing::make_queries(comm, testing::kGlobalBatch / comm.size());
    Candidates candidates;
    candidates.queries = comm.all_gather(batch.queries);
    return [&comm, &fallback, bank, pass, search, batch, candidates] {
      search->find(comm, bank->shard().rows, candidates, SelectionOrder{}, batch.shares, testing::kHardest);
      if (comm.rank() == 0) fallback = search->last_fallback_rate();
    };
  });
  const std::int64_t own = testing::kGlobalBatch / ranks;
  state.counters["full_lists"] = static_cast<double>((ranks - 1) * own * testing::kHardest * 8);
  state.counters["fallback"] = fallback;
}
BENCHMARK(hard_sets)->Name("exchanges/hard_sets")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
