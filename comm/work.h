#pragma once

#include <memory>

#include <ATen/ATen.h>

namespace negatron {

/// One collective in flight. Keeps its tensors alive until it is done. Move-only; the destructor of a work that was not
/// waited for waits (within the time limit; not at all in a group that is broken) and logs a failure instead of
/// throwing. Must not outlive its communicator.
///
/// Works of one communicator are waited for in the same order on every rank: over MPI and over threads an all_reduce
/// has a second half that runs in `wait`.
class Work {
 public:
  /// What an implementation provides. `finish` blocks the host (transports over host memory) or orders the caller's
  /// stream (transports on a device) and returns the result. A failure, a time-out too, is thrown by `done` or
  /// `finish`.
  class Pending {
   public:
    virtual ~Pending() = default;
    /// True when `finish` would not have to wait for data that is on its way.
    virtual bool done() = 0;
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
