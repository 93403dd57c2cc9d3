#pragma once

#include <functional>
#include <future>

#include <c10/core/thread_pool.h>

#include "samplers/pass/pass.h"

namespace negatron {

/// A thread that computes passes beside the caller's, one after the other. Local.
class SideThread {
 public:
  /// `threads` of ATen work for it.
  explicit SideThread(int threads);

  /// `work` must own what it needs, and communicate with no rank. Its result, or what it throws, is the future's.
  std::future<PassResult> start(std::function<PassResult()> work);

 private:
  c10::ThreadPool pool_;  // whose destructor waits for what it runs
};

}  // namespace negatron
