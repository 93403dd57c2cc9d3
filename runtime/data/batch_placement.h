#pragma once

#include <memory>

#include "runtime/data/batch_source.h"

namespace negatron {

/// Brings the views of batches to the device that trains on them while it computes something else: from pinned memory,
/// and on a GPU on a stream of its own. Views that are not made yet are made there. Called where batches are built, so
/// that as many wait there as the loader holds ready. Thread-safe.
class BatchPlacement {
 public:
  virtual ~BatchPlacement() = default;
  /// The batch with its views there, or on their way (Batch::arrive). Ids and labels stay where they are. Local.
  virtual Batch place(Batch batch) const = 0;
};

/// On the host nothing moves. Local.
std::shared_ptr<const BatchPlacement> batch_placement_on(at::Device device);
/// On a stream of a CUDA device. Local. Throws std::invalid_argument in a build without CUDA.
std::shared_ptr<const BatchPlacement> side_stream_placement(at::Device device);

}  // namespace negatron
