#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace negatron {

/// What `work` returns or throws; nothing when it takes longer than `limit`, as a call to a file server that does not
/// answer may for ever. It runs in a thread of its own, which is then left behind: `work` owns all that it touches.
/// Local.
template <class Result>
std::optional<Result> result_within(std::chrono::milliseconds limit, std::function<Result()> work) {
  std::packaged_task<Result()> task(std::move(work));
  std::future<Result> result = task.get_future();
  std::thread(std::move(task)).detach();
  if (result.wait_for(limit) != std::future_status::ready) return std::nullopt;
  return result.get();
}

}  // namespace negatron
