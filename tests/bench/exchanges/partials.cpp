// Partial results back to the queries' owners, who unpack and merge them: what every exchange ends with.

#include "samplers/exchange/partial_record.h"
#include "samplers/pass/reduction_tree.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

/// Of all queries of the job, with numbers that some shard might have sent.
PassResult partial_of(std::int64_t queries) {
  PassResult partial;
  TermResult& term = partial.terms.emplace_back();
  term.value = at::rand({queries});
  term.gradient = at::rand({queries, testing::kWidth});
  partial.count = at::full({queries}, testing::kRows, at::kLong);
  partial.max = at::rand({queries});
  return partial;
}

void partials(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    const QueryShares shares = testing::make_queries(comm, testing::kGlobalBatch / comm.size()).shares;
    const PartialRecords shard{partial_of(shares.total()), {}};
    const PartialFormat format{std::vector<ScoreTerm>(1), testing::kWidth};
    const std::vector<std::int64_t> own(shares.sizes.size(), shares.size(comm.rank()));
    return [&comm, shares, shard, format, own] {
      const at::Tensor records = comm.all_to_all(pack_partials(shard, format), shares.sizes, own);
      ReductionTree tree(format.terms);
      std::int64_t rank = 0;
      for (const at::Tensor& block : records.chunk(comm.size())) {
        tree.push(rank++, unpack_partials(block, format).result);
      }
      benchmark::DoNotOptimize(tree.finish());
    };
  });
}
BENCHMARK(partials)->Name("exchanges/partials")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
