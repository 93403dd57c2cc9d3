#pragma once

#include <cstdint>
#include <functional>

#include "comm/communicator.h"
#include "runtime/evaluation/features.h"

namespace negatron {

/// What is to happen between the parts of a long computation: the same number of times on every rank and at the same
/// places, so that it may be collective. It may throw, on all ranks alike; then the computation ends there.
using Pause = std::function<void()>;

/// Pauses of an encoder that runs over this rank's share() of some images in batches: one before each batch. Shares,
/// and so batches, differ by one between ranks; those with fewer take the rest at the end. Local, but for the pauses.
class EqualPauses {
 public:
  /// Of `count` images over all ranks, of which each rank takes at least one. `pause` may be empty; it outlives this.
  EqualPauses(const Communicator& comm, std::int64_t count, std::int64_t batch, const Pause& pause);

  /// `function`, with a pause before each call. It refers to this.
  FeatureFunction before_each(const FeatureFunction& function);
  /// Takes the pauses that other ranks have still to take. Behind the last batch.
  void finish();

 private:
  void take();

  const Pause& pause_;
  std::int64_t left_ = 0;
};

}  // namespace negatron
