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
      const QueryMessages own = pack_queries(batch, request, terms);
      const std::vector<std::int64_t>& sizes = batch.shares.sizes;
      unpack_queries({comm.all_gather(own.vectors, sizes), comm.all_gather(own.numbers, sizes)}, batch, request, terms);
    };
  });
}
BENCHMARK(gather)->Name("exchanges/gather")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
