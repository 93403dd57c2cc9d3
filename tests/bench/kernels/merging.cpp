// Merging the partial results of two shards for B queries, as their owner does for each rank but one.

#include "samplers/pass/cpu/fast_pass.h"
#include "tests/bench/growth.h"
#include "tests/bench/kernels/kernel_data.h"
#include "tests/bench/kernels/measured.h"

namespace negatron::bench {
namespace {

constexpr std::int64_t kShardRows = 1024;
constexpr std::int64_t kLargestBatch = 4096;
constexpr int kFourfold = 4;

void over_queries(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  PassRequest request;
  request.candidates.queries = random_queries(batch);
  request.terms.resize(1);
  request.terms[0].scale = 1.0 / kTau;
  const Rows rows = random_rows(kShardRows, at::kBFloat16);
  const PassResult left = FastPass().run(rows, request);
  const PassResult right = FastPass().run(rows, request);
  report_growth(state, "merge/queries", batch, measured(state, [&] { return merge(request.terms, left, right); }));
}
BENCHMARK(over_queries)
    ->Name("merge/queries")
    ->ArgName("B")
    ->RangeMultiplier(kFourfold)
    ->Range(kBatch, kLargestBatch)
    ->Apply(in_milliseconds);

}  // namespace
}  // namespace negatron::bench
