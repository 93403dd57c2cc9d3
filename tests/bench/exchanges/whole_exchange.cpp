// The bank's stage of a step over ranks: log sum exp over the whole bank, and with the 1024 hardest rows of each query.

#include <memory>

#include "samplers/exchange/bank_exchange.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

constexpr double kScale = 5.0;

void exchange(benchmark::State& state, std::int64_t hardest) {
  measure_ranks(state, [hardest](Communicator& comm) -> Exchange {
    auto bank = std::make_shared<const Bank>(testing::make_bank(comm, at::kBFloat16));
    auto stage = std::make_shared<BankExchange>();
    NegativeRequest request;
    request.report_hardest = hardest;
    ScoreTerm term;
    term.scale = kScale;
    return
        [&comm, bank, stage, request, term, batch = testing::make_queries(comm, testing::kGlobalBatch / comm.size())] {
          stage->run(comm, *bank, batch, request, {term});
        };
  });
}

void loss(benchmark::State& state) {
  exchange(state, 0);
}
BENCHMARK(loss)->Name("exchanges/loss")->Apply(over_ranks);

void loss_and_hardest(benchmark::State& state) {
  exchange(state, testing::kHardest);
}
BENCHMARK(loss_and_hardest)->Name("exchanges/loss_and_hardest")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
