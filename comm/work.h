#pragma once

#include <memory>

#include <ATen/ATen.h>

namespace negatron {

/// One collective in flight. Keeps its tensors alive until it is done. Move-only; the destructor of a work that was not
/// waited for waits (within the time limit) and logs a failure instead of throwing. Must not outlive its communicator.
///
/// Works of one communicator are waited for in the same order on every rank: an all_reduce or reduce_scatter over host
/// tensors has a second half that runs in `wait`.
class Work {
 public:
  /// What an implementation provides. `finish` blocks the host (host tensors) or orders the caller's stream (device
  /// tensors) and returns the result.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual at::Tensor finish() = 0;
  };

  explicit Work(std::unique_ptr<Pending> pending);
  Work(Work&&) noexcept;
  Work& operator=(Work&&) noexcept;
  ~Work();

  /// Completes the operation and returns its result (the tensor itself for operations in place). Once only: CommError
  /// otherwise.
  at::Tensor wait();

 private:
  void settle() noexcept;

  std::unique_ptr<Pending> pending_;
};

}  // namespace negatron
