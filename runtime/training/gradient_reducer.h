#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"

namespace negatron {

/// Sums gradients over ranks while backward still runs.
///
/// Parameters are packed, last registered first (the order in which backward reaches them), into flat buckets of one
/// dtype. A hook on each parameter notices when its gradient is there; complete buckets are copied and their all_reduce
/// is started, strictly in bucket order, so that every rank issues the same collectives in the same order whatever
/// order its gradients came in. With one rank there are no hooks, copies or collectives.
///
/// Cost per step and rank, G = bytes of all gradients: 2 * (P-1)/P * G sent and as much received, one call a bucket.
///
/// Threads: hooks run where autograd accumulates: in the thread that calls backward for CPU parameters, in autograd's
/// device thread, while the caller waits, for CUDA ones. So collectives never overlap, and between the start of
/// backward and the end of `reduce` nothing else may use the communicator, except operations of backward itself and,
/// between passes that hold() keeps apart, those of the forward pass of the next part, at the same place on every rank.
///
/// Between two calls of `reduce` each parameter gets its gradient by one backward pass, or by several of which hold()
/// was called for all but the last; before the first one gradients are undefined (or zero).
class GradientReducer {
 public:
  static constexpr std::int64_t kBucketBytes = std::int64_t{4} << 20;

  /// `parameters` in registration order, the same on every rank; the communicator outlives the reducer. Local.
  GradientReducer(Communicator& communicator, std::vector<at::Tensor> parameters,
                  std::int64_t bucket_bytes = kBucketBytes);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// While on, gradients that arrive are parts of sums: they count when a pass without hold has reached their
  /// parameter. Off at the beginning. Local.
  void hold(bool on) noexcept { holds_ = on; }
  /// Lets go of every parameter's gradient, before backward: Optimizer::zero_grad cannot, because gradients are views
  /// of the buckets. Local.
  void drop_gradients();
  /// Collective. Starts what backward did not, waits, and leaves in every parameter the gradient summed over ranks. A
  /// parameter without gradient here counts as zeros; on return all of them have one (P = 1: as backward left them).
  void reduce();

 private:
  struct Bucket;
  class Hook;

  void pack(std::int64_t bucket_bytes);
  /// Called when the gradient of one parameter of `bucket` is final.
  void gradient_ready(std::size_t bucket);
  void start(Bucket& bucket);

  Communicator& communicator_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::unique_ptr<Bucket>> buckets_;
  std::size_t next_bucket_ = 0;
  bool holds_ = false;
};

}  // namespace negatron
