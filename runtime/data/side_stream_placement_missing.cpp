// Takes the place of side_stream_placement.cpp in a build without CUDA.

#include "runtime/data/batch_placement.h"

namespace negatron {

std::shared_ptr<const BatchPlacement> side_stream_placement(at::Device) {
  return nullptr;
}

}  // namespace negatron
