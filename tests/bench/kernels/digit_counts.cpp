// One round of radix select on one shard: how many keys of each query have which next byte, for T prefixes at once.

#include "samplers/pass/candidate_keys.h"

#include "tests/bench/kernels/kernel_data.h"
#include "tests/bench/kernels/measured.h"

namespace negatron::bench {
namespace {

constexpr std::int64_t kMostPrefixes = 4;

void count_digits(benchmark::State& state) {
  const Rows rows = random_rows(kBankRows, at::kBFloat16);
  Candidates candidates;
  candidates.queries = random_queries(kBatch);
  const at::Tensor prefix = at::zeros({kBatch, state.range(0)}, at::kLong);
  measured(state, [&] { return digit_histogram(rows, candidates, SelectionOrder{}, prefix, 0); });
}
BENCHMARK(count_digits)
    ->Name("digit_histogram")
    ->ArgName("T")
    ->RangeMultiplier(2)
    ->Range(1, kMostPrefixes)
    ->Apply(in_milliseconds);

}  // namespace
}  // namespace negatron::bench
