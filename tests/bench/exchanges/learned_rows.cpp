// What rows that learn add to the bank's stage of a step (exchanges/loss): their gradient, beside the two products that
// it consists of, and the whole of the stage, the gradient and the rows' step.

#include <memory>

#include "comm/share.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/exchange/rows/row_gradient.h"
#include "tests/bench/bank_scene.h"
#include "tests/bench/exchanges/measure_ranks.h"

namespace negatron::bench {
namespace {

constexpr double kScale = 5.0;
constexpr double kRowsScale = 50.0;

Bank learned_bank(const Communicator& comm) {
  return Bank({testing::kRows, testing::kWidth, at::kFloat, at::kCPU, BankFill::kRandom, testing::kBankSeed,
               testing::kGlobalBatch, BankKind::kLearned},
              comm.rank(), comm.size());
}

std::vector<ScoreTerm> terms_with_rows() {
  std::vector<ScoreTerm> terms(2);
  terms[0].scale = kScale;
  terms[1].scale = kRowsScale;
  terms[1].want_gradient = false;
  return terms;
}

GradientOfRows gradient_of(Communicator& comm, const Bank& bank, const NegativeResult& result) {
  const at::Tensor by_term = at::full_like(result.scores.terms[1].value, 1.0 / testing::kGlobalBatch);
  return row_gradient(comm, bank, result.met, {{terms_with_rows()[1], by_term, result.scores.terms[1]}});
}

/// fp32, one after the other, of this rank's rows with the queries of all ranks.
void two_products(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    const std::int64_t own = share(testing::kRows, comm.size(), comm.rank()).size();
    const at::Tensor rows = random_unit_rows(testing::kBankSeed, 0, own, testing::kWidth).to(at::kFloat);
    const at::Tensor queries =
        random_unit_rows(testing::kQuerySeed, 0, testing::kGlobalBatch, testing::kWidth).to(at::kFloat);
    return [rows, queries, scores = at::empty({own, testing::kGlobalBatch}), sum = at::empty_like(rows)]() mutable {
      at::mm_out(scores, rows, queries.t());
      at::mm_out(sum, scores, queries);
    };
  });
}
BENCHMARK(two_products)->Name("exchanges/two_products")->Apply(over_ranks);

void rows_gradient(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    auto bank = std::make_shared<const Bank>(learned_bank(comm));
    NegativeRequest request;
    request.keeps_met = true;
    const QueryBatch batch = testing::make_queries(comm, testing::kGlobalBatch / comm.size());
    const NegativeResult result = BankExchange().run(comm, *bank, batch, request, terms_with_rows());
    return [&comm, bank, result] { gradient_of(comm, *bank, result); };
  });
}
BENCHMARK(rows_gradient)->Name("exchanges/row_gradient")->Apply(over_ranks);

void loss_and_rows(benchmark::State& state) {
  measure_ranks(state, [](Communicator& comm) -> Exchange {
    auto bank = std::make_shared<Bank>(learned_bank(comm));
    auto stage = std::make_shared<BankExchange>();
    NegativeRequest request;
    request.keeps_met = true;
    return [&comm, bank, stage, request, batch = testing::make_queries(comm, testing::kGlobalBatch / comm.size())] {
      const NegativeResult result = stage->run(comm, *bank, batch, request, terms_with_rows());
      bank->train(gradient_of(comm, *bank, result), RowOptimizer{}, 0);
    };
  });
}
BENCHMARK(loss_and_rows)->Name("exchanges/loss_and_learned_rows")->Apply(over_ranks);

}  // namespace
}  // namespace negatron::bench
