#include "samplers/cpu/task_threads.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include <omp.h>
#include <sys/mman.h>

#include <ATen/Parallel.h>

#ifndef _OPENMP
#error "at::parallel_for starts threads only in sources that are compiled for OpenMP."
#endif

namespace negatron {
namespace {

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};

/// Aligned to a cache line, or in large pages where it fills some: what is written far apart, as lists are, then does
/// not need a page of its own each, of which a processor remembers few.
float* allocate(std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  constexpr std::size_t kLargePage = std::size_t{2} << 20;
  const std::size_t unit = bytes >= kLargePage ? kLargePage : kCacheLine;
  const std::size_t size = (bytes + unit - 1) / unit * unit;
  void* memory = std::aligned_alloc(unit, size);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  // Where there are none, small pages serve.
  if (unit == kLargePage) madvise(memory, size, MADV_HUGEPAGE);
#endif
  return static_cast<float*>(memory);
}

}  // namespace

void share_out(std::int64_t tasks, const std::function<void(std::int64_t)>& work) {
  std::atomic<std::int64_t> next = 0;
  const std::int64_t workers = std::min<std::int64_t>(at::get_num_threads(), tasks);
  at::parallel_for(0, workers, 1, [&](std::int64_t, std::int64_t) {
    for (std::int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

void use_threads(int threads) {
  // ATen takes its own number over when a thread first asks for it. at::set_num_threads would also change that number,
  // which later threads begin with.
  at::get_num_threads();
  omp_set_num_threads(threads);
}

float* thread_memory(std::int64_t numbers) {
  thread_local std::unique_ptr<float[], Free> memory;
  thread_local std::size_t size = 0;
  const std::size_t bytes = static_cast<std::size_t>(numbers) * sizeof(float);
  if (size < bytes) {
    memory.reset();
    size = 0;
    memory.reset(allocate(bytes));
    size = bytes;
  }
  return memory.get();
}

}  // namespace negatron
