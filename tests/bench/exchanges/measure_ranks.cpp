#include "tests/bench/exchanges/measure_ranks.h"

#include <ATen/Parallel.h>

#include "comm/threads/thread_communicator.h"

namespace negatron::bench {
namespace {

constexpr int kMostRanks = 4;

std::int64_t received_in_step(const Communicator& comm) {
  std::int64_t bytes = 0;
  for (const auto& [operation, traffic] : comm.traffic().step()) bytes += traffic.bytes_received;
  return bytes;
}

}  // namespace

void over_ranks(benchmark::internal::Benchmark* exchange) {
  exchange->ArgName("ranks")->DenseRange(1, kMostRanks)->Unit(benchmark::kMillisecond);
  exchange->UseRealTime()->MeasureProcessCPUTime();
}

void measure_ranks(benchmark::State& state, const std::function<Exchange(Communicator&)>& make) {
  bool more = true;
  std::int64_t received = 0;
  run_ranks(static_cast<int>(state.range(0)), {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Exchange exchange = make(comm);
    exchange();
    while (true) {
      // Rank 0 asks whether to go on; the others read its answer between the barriers.
      if (comm.rank() == 0) more = state.KeepRunning();
      comm.barrier();
      if (!more) break;
      comm.traffic().start_step();
      exchange();
      if (comm.rank() == 0) received = received_in_step(comm);
      comm.barrier();
    }
  });
  state.counters["received"] = static_cast<double>(received);
}

}  // namespace negatron::bench
