#include "launch/doctor/collective_speed.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>

#include "runtime/planning/rank_times.h"

namespace negatron {
namespace {

/// fp32 numbers of the result of a collective: what is measured first, and the most.
constexpr std::int64_t kFirstNumbers = std::int64_t{1} << 12;
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 22;
constexpr double kWantedSeconds = 0.01;

using Run = std::function<void()>;

struct Kind {
  const char* name;
  /// One collective whose larger side has so many numbers; its tensors are there before it runs.
  std::function<Run(std::int64_t numbers)> prepare;
};

std::vector<Kind> kinds_of(Communicator& comm, at::Device device) {
  const std::int64_t ranks = comm.size();
  const auto on_tensor = [device](const std::function<void(const at::Tensor&)>& call) {
    return [device, call](std::int64_t numbers) -> Run {
      const at::Tensor tensor = at::ones({numbers}, at::TensorOptions(at::kFloat).device(device));
      return [tensor, call] { call(tensor); };
    };
  };
  const auto on_part = [on_tensor, ranks](const std::function<void(const at::Tensor&)>& call) {
    return [whole = on_tensor(call), ranks](std::int64_t numbers) { return whole(numbers / ranks); };
  };
  return {
      {"barrier", on_tensor([&comm](const at::Tensor&) { comm.barrier(); })},
      {"broadcast", on_tensor([&comm](const at::Tensor& tensor) { comm.broadcast(tensor, 0); })},
      {"all_reduce", on_tensor([&comm](const at::Tensor& tensor) { comm.all_reduce(tensor, ReduceOp::kMax); })},
      {"all_gather", on_part([&comm](const at::Tensor& tensor) { comm.all_gather(tensor); })},
      {"reduce_scatter", on_tensor([&comm](const at::Tensor& tensor) { comm.reduce_scatter(tensor, ReduceOp::kSum); })},
      {"all_to_all", on_tensor([&comm](const at::Tensor& tensor) { comm.all_to_all(tensor); })}};
}

double seconds_of_kind(Communicator& comm, at::Device device, const Kind& kind, std::int64_t numbers) {
  return seconds_of_ranks(comm, device, {kind.prepare(numbers)}).front();
}

/// What one call brings to the rank that receives most.
std::int64_t received_of(Communicator& comm, const Kind& kind, std::int64_t numbers) {
  const auto so_far = [&] {
    const auto& total = comm.traffic().total();
    const auto known = total.find(kind.name);
    return known == total.end() ? 0 : known->second.bytes_received;
  };
  const std::int64_t before = so_far();
  kind.prepare(numbers)();
  const at::Tensor received = at::full({1}, so_far() - before, at::kLong);
  comm.all_reduce(received, ReduceOp::kMax);
  return received.item<std::int64_t>();
}

}  // namespace

std::vector<CollectiveSpeed> measure_collectives(Communicator& comm, at::Device device, double budget) {
  const auto begin = std::chrono::steady_clock::now();
  const auto time_is_up = [&] {
    const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const at::Tensor most = at::full({1}, spent, at::kDouble);
    comm.all_reduce(most, ReduceOp::kMax);
    return most.item<double>() > budget;
  };
  // What ranks share without a rest.
  const std::int64_t ranks = comm.size();
  const std::int64_t first_numbers = ranks * std::max<std::int64_t>(1, kFirstNumbers / ranks);
  std::vector<CollectiveSpeed> speeds;
  for (const Kind& kind : kinds_of(comm, device)) {
    if (time_is_up()) break;
    CollectiveSpeed speed{kind.name, seconds_of_kind(comm, device, kind, ranks)};
    if (received_of(comm, kind, first_numbers) > 0) {
      // All ranks hold the same seconds, a maximum, and so choose the same size.
      const double first = seconds_of_kind(comm, device, kind, first_numbers);
      const double scale =
          std::clamp(kWantedSeconds / std::max(first, 1e-6), 1.0, static_cast<double>(kMostNumbers / kFirstNumbers));
      const auto numbers = static_cast<std::int64_t>(std::floor(scale)) * first_numbers;
      speed.bytes = received_of(comm, kind, numbers);
      speed.seconds = seconds_of_kind(comm, device, kind, numbers);
    }
    speeds.push_back(speed);
  }
  return speeds;
}

double measure_copies(Communicator& comm, at::Device device) {
  constexpr int kRounds = 20;
  const at::Tensor from = at::ones({kMostNumbers}, at::TensorOptions(at::kFloat).device(device));
  const at::Tensor to = at::zeros_like(from);
  double best = std::numeric_limits<double>::infinity();
  comm.barrier();
  // The best and not the median: what the machine can give, whoever else is on it.
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    to.copy_(from);
    if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  const at::Tensor slowest = at::full({1}, best, at::kDouble);
  comm.all_reduce(slowest, ReduceOp::kMax);
  return static_cast<double>(from.nbytes()) / slowest.item<double>();
}

}  // namespace negatron
