// The bank's stage with MoCHi's mixes (N = 1024, s = 1024, s' = 128): rows fetched to the query's owner, or mixed on
// the shards that hold them.

#include <memory>

#include "samplers/exchange/bank_exchange.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

constexpr double kScale = 5.0;
constexpr std::int64_t kPairs = 1024;
constexpr std::int64_t kQueryMixes = 128;

void mixes(benchmark::State& state, MixRecipe::Mode mode) {
  measure_ranks(state, [mode](Communicator& comm) -> Exchange {
    auto bank = std::make_shared<const Bank>(testing::make_bank(comm, at::kBFloat16));
    auto stage = std::make_shared<BankExchange>();
    NegativeRequest request;
    MixRecipe& recipe = request.mixes.emplace();
    recipe.mode = mode;
    recipe.hard = testing::kHardest;
    recipe.pairs = kPairs;
    recipe.query_mixes = kQueryMixes;
    ScoreTerm term;
    term.scale = kScale;
    return
        [&comm, bank, stage, request, term, batch = testing::make_queries(comm, testing::kGlobalBatch / comm.size())] {
          stage->run(comm, *bank, batch, request, {term});
        };
  });
}

void fetched(benchmark::State& state) {
  mixes(state, MixRecipe::Mode::kFetch);
}
BENCHMARK(fetched)->Name("exchanges/mochi_fetch")->Apply(over_ranks);

void on_shards(benchmark::State& state) {
  mixes(state, MixRecipe::Mode::kNoFetch);
}
BENCHMARK(on_shards)->Name("exchanges/mochi_no_fetch")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
