// Queries to all shards, with their sample ids: what every exchange begins with.

#include "samplers/exchange/gathered_queries.h"

#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

void gather(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    QueryBatch batch = testing::make_queries(comm, testing::kGlobalBatch / comm.size());
    batch.ids = at::arange(batch.queries.size(0), at::kLong);
    return [&comm, batch] {
      const NegativeRequest request;
      const std::vector<ScoreTerm> terms(1);
      finish_gather(start_gather(comm, batch, request, terms), batch, request, terms);
    };
  });
}
BENCHMARK(gather)->Name("exchanges/gather")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
