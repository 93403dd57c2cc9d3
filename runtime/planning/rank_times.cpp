#include "runtime/planning/rank_times.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace negatron {
namespace {

constexpr double kFewestRounds = 9.0;
constexpr double kMostRounds = 41.0;
/// All rounds together, where that is more than kFewestRounds.
constexpr double kSeconds = 3.0;

double time_once(Communicator& comm, at::Device device, const std::function<void()>& work) {
  comm.barrier();
  const auto start = std::chrono::steady_clock::now();
  work();
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The slowest rank's times of `rounds` rounds: [rounds, works].
at::Tensor slowest_of_rounds(Communicator& comm, at::Device device, const std::vector<std::function<void()>>& works,
                             std::int64_t rounds) {
  std::vector<double> times;
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (const std::function<void()>& work : works) times.push_back(time_once(comm, device, work));
  }
  const at::Tensor all = at::tensor(times, at::kDouble).to(device);
  comm.all_reduce(all, ReduceOp::kMax);
  return all.cpu().view({rounds, static_cast<std::int64_t>(works.size())});
}

}  // namespace

std::vector<double> seconds_of_ranks(Communicator& comm, at::Device device,
                                     const std::vector<std::function<void()>>& works) {
  // The round that does not count is equal on all ranks, being a maximum, and so is the number of rounds that follows
  // from it: a rank with another number would wait in a barrier for ever.
  const double first = slowest_of_rounds(comm, device, works, 1).sum().item<double>();
  const double rounds = std::clamp(kSeconds / first, kFewestRounds, kMostRounds);
  const at::Tensor sorted =
      std::get<0>(slowest_of_rounds(comm, device, works, static_cast<std::int64_t>(rounds)).sort(0));
  const at::Tensor median = sorted.select(0, sorted.size(0) / 2).contiguous();
  return {median.const_data_ptr<double>(), median.const_data_ptr<double>() + median.numel()};
}

}  // namespace negatron
