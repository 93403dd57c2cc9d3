// The m best rows of each query by score, exact with ties: over m, over rows, and the row types.

#include "samplers/pass/device_pass.h"

#include "tests/bench/growth.h"
#include "tests/bench/kernels/kernel_data.h"
#include "tests/bench/kernels/measured.h"

namespace negatron::bench {
namespace {

constexpr std::int64_t kHardest = 1024;
constexpr std::int64_t kFewest = 16;
constexpr std::int64_t kSmallestBank = 16384;
constexpr int kFourfold = 4;

/// Returns seconds.
double select(benchmark::State& state, std::int64_t count, std::int64_t m, at::ScalarType dtype) {
  const Rows rows = random_rows(count, dtype);
  Candidates candidates;
  candidates.queries = random_queries(kBatch);
  const DevicePass pass;
  return measured(state, [&] { return pass.best(rows, candidates, SelectionOrder{}, m); });
}

void over_hardest(benchmark::State& state) {
  select(state, kBankRows, state.range(0), at::kBFloat16);
}
BENCHMARK(over_hardest)
    ->Name("select/hardest")
    ->ArgName("N")
    ->RangeMultiplier(kFourfold)
    ->Range(kFewest, kHardest)
    ->Apply(in_milliseconds);

void over_rows(benchmark::State& state) {
  const std::int64_t count = state.range(0);
  report_growth(state, "select/rows", count, select(state, count, kHardest, at::kBFloat16));
}
BENCHMARK(over_rows)
    ->Name("select/rows")
    ->ArgName("K")
    ->RangeMultiplier(kFourfold)
    ->Range(kSmallestBank, kDistinctRows)
    ->Apply(in_milliseconds);

void of_fp32_rows(benchmark::State& state) {
  select(state, kBankRows, kHardest, at::kFloat);
}
BENCHMARK(of_fp32_rows)->Name("select/fp32")->Apply(in_milliseconds);

}  // namespace
}  // namespace negatron::bench
