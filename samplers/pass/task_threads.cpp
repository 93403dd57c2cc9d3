#include "samplers/pass/task_threads.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include <ATen/Parallel.h>

#ifndef _OPENMP
#error "at::parallel_for starts threads only in sources that are compiled for OpenMP."
#endif

namespace negatron {

void share_out(std::int64_t tasks, const std::function<void(std::int64_t)>& work) {
  std::atomic<std::int64_t> next = 0;
  const std::int64_t workers = std::min<std::int64_t>(at::get_num_threads(), tasks);
  at::parallel_for(0, workers, 1, [&](std::int64_t, std::int64_t) {
    for (std::int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

float* thread_memory(std::int64_t numbers) {
  constexpr std::size_t kCacheLine = 64;
  thread_local std::unique_ptr<float[]> memory;
  thread_local std::size_t size = 0;
  const std::size_t wanted = static_cast<std::size_t>(numbers) + kCacheLine / sizeof(float);
  if (size < wanted) {
    memory = std::make_unique_for_overwrite<float[]>(wanted);
    size = wanted;
  }
  void* begin = memory.get();
  std::size_t space = size * sizeof(float);
  return static_cast<float*>(std::align(kCacheLine, static_cast<std::size_t>(numbers) * sizeof(float), begin, space));
}

}  // namespace negatron
