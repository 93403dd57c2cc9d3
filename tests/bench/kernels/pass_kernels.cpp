// The one pass, log sum exp of q.n / tau and its gradient: curves over rows and queries, then every vector code with
// every row type, threads, and the pass over ATen.

#include <string>

#include <ATen/Parallel.h>

#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cpu/kernel_choice.h"
#include "tests/bench/growth.h"
#include "tests/bench/kernels/kernel_data.h"
#include "tests/bench/kernels/measured.h"

namespace negatron::bench {
namespace {

constexpr std::int64_t kSmallestBank = 16384;
constexpr std::int64_t kLargestBank = std::int64_t{4} << 20;
// Fewer queries leave lanes of the vector code idle, so that time is not linear in them.
constexpr std::int64_t kWholeVectors = 64;
constexpr std::int64_t kLargestBatch = 4096;
constexpr int kFourfold = 4;

/// Returns seconds.
double run(benchmark::State& state, const Pass& pass, std::int64_t batch, std::int64_t count, at::ScalarType dtype) {
  const Rows rows = random_rows(count, dtype);
  PassRequest request;
  request.candidates.queries = random_queries(batch);
  request.terms.resize(1);
  request.terms[0].scale = 1.0 / kTau;
  const double seconds = measured(state, [&] { return pass.run(rows, request); });
  // A product and a sum for each number of a row, once for the score and once for the weighted sum.
  const double operations = 4.0 * static_cast<double>(kWidth * batch * count) * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = 1e-9 * operations / seconds;
  return seconds;
}

void over_rows(benchmark::State& state) {
  const std::int64_t count = state.range(0);
  report_growth(state, "pass/rows", count, run(state, FastPass(), kBatch, count, at::kBFloat16));
}
BENCHMARK(over_rows)
    ->Name("pass/rows")
    ->ArgName("K")
    ->RangeMultiplier(kFourfold)
    ->Range(kSmallestBank, kLargestBank)
    ->Apply(in_milliseconds);

void over_queries(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  report_growth(state, "pass/queries", batch, run(state, FastPass(), batch, kBankRows, at::kBFloat16));
}
BENCHMARK(over_queries)
    ->Name("pass/queries")
    ->ArgName("B")
    ->RangeMultiplier(kFourfold)
    ->Range(kWholeVectors, kLargestBatch)
    ->Apply(in_milliseconds);

void few_queries(benchmark::State& state) {
  run(state, FastPass(), state.range(0), kBankRows, at::kBFloat16);
}
BENCHMARK(few_queries)->Name("pass/few_queries")->ArgName("B")->Arg(1)->Arg(16)->Apply(in_milliseconds);

void over_threads(benchmark::State& state) {
  const int all = at::get_num_threads();
  at::set_num_threads(static_cast<int>(state.range(0)));
  run(state, FastPass(), kBatch, kBankRows, at::kBFloat16);
  at::set_num_threads(all);
}
BENCHMARK(over_threads)->Name("pass/threads")->ArgName("threads")->Apply([](benchmark::internal::Benchmark* kernel) {
  for (int threads = 1; threads <= at::get_num_threads(); threads *= 2) kernel->Arg(threads);
  in_milliseconds(kernel);
});

/// One benchmark a pair, because which there are is known only when the program runs.
const bool registered = [] {
  for (const auto& [name, dtype] : {std::pair{"bf16", at::kBFloat16}, {"fp16", at::kHalf}, {"fp32", at::kFloat}}) {
    const auto add = [dtype = dtype](const std::string& title, const auto& pass) {
      in_milliseconds(benchmark::RegisterBenchmark(
          title.c_str(), [dtype, pass](benchmark::State& state) { run(state, pass, kBatch, kBankRows, dtype); }));
    };
    for (const CpuIsa isa : available_isas()) {
      // Other rows take the code of kAvx512 there.
      const bool in_bf16 = isa == CpuIsa::kAvx512Bf16 || isa == CpuIsa::kAmxBf16;
      if (in_bf16 && dtype != at::kBFloat16) continue;
      add(std::string("pass/") + name + "/" + name_of(isa), FastPass(isa));
    }
    add(std::string("pass/") + name + "/aten", BlockedPass());
  }
  return true;
}();

}  // namespace
}  // namespace negatron::bench
