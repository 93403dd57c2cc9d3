// Writing a batch of keys into a full bank, whose oldest rows expire: over bank rows and over keys.

#include "samplers/bank/bank.h"

#include "tests/bench/growth.h"
#include "tests/bench/kernels/kernel_data.h"
#include "tests/bench/kernels/measured.h"

namespace negatron::bench {
namespace {

constexpr std::int64_t kLargestBank = std::int64_t{1} << 20;
constexpr std::int64_t kLargestBatch = 4096;
constexpr int kFourfold = 4;

/// Returns seconds.
double enqueue(benchmark::State& state, std::int64_t batch, std::int64_t count) {
  const at::Tensor keys = random_queries(batch);
  Bank bank({count, kWidth, at::kBFloat16, at::kCPU, BankFill::kEmpty, 0, batch}, 0, 1);
  std::int64_t step = 0;
  const auto write = [&] {
    // Every step brings other samples, as within an epoch that is longer than the bank.
    bank.enqueue(keys, at::arange(step * batch, (step + 1) * batch, at::kLong), at::Tensor(), step, batch);
    return ++step;
  };
  while (bank.filled() < count) write();
  return measured(state, write);
}

void over_rows(benchmark::State& state) {
  enqueue(state, kBatch, state.range(0));
}
BENCHMARK(over_rows)
    ->Name("enqueue/rows")
    ->ArgName("K")
    ->RangeMultiplier(kFourfold)
    ->Range(kBankRows, kLargestBank)
    ->Apply(in_milliseconds);

void over_keys(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  report_growth(state, "enqueue/keys", batch, enqueue(state, batch, kBankRows));
}
BENCHMARK(over_keys)
    ->Name("enqueue/keys")
    ->ArgName("B")
    ->RangeMultiplier(kFourfold)
    ->Range(kBatch, kLargestBatch)
    ->Apply(in_milliseconds);

}  // namespace
}  // namespace negatron::bench
