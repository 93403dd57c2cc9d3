// Takes the place of side_stream_placement.cpp in a build without CUDA.

#include <stdexcept>

#include "runtime/data/batch_placement.h"

namespace negatron {

std::shared_ptr<const BatchPlacement> side_stream_placement(at::Device) {
  throw std::invalid_argument("This build has no CUDA, and brings no batches to a GPU.");
}

}  // namespace negatron
