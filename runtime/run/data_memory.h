#pragma once

#include <cstdint>

#include "runtime/run/pretrain_data.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Bytes that images take in the memory of a rank, of both parts. Local.
std::int64_t image_bytes(const PretrainData& data);

/// Batches of views that wait for their step.
struct BatchQueue {
  int batches = 1;
  /// Of one of them, on rank 0, whose share is the largest.
  std::int64_t batch_bytes = 0;
};

/// As many as `options.data_memory` holds beside the images that lie in memory, at least one and at most four: more do
/// not make a loader faster that cannot keep up. `views` are those of a sample and of what is met with it. Local.
BatchQueue batch_queue(const PretrainOptions& options, const PretrainData& data, const ImageSize& view, int ranks,
                       std::int64_t views);

/// How many rows of pixels as features, of training and of test images together, `options.data_memory` holds. Local.
std::int64_t pixel_rows(const PretrainOptions& options, const PretrainData& data, const ImageSize& view);

}  // namespace negatron
