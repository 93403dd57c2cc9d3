#include "runtime/snapshots/hdf5/matrix_dataset.h"

#include <algorithm>

namespace negatron {

void MatrixDataset::add_to(Hdf5Layout& plan, const char* name, at::ScalarType dtype, std::int64_t width) {
  plan.datasets.push_back({name, dtype, {rows_, width}, false, [this](std::size_t at_most) { return bytes(at_most); }});
}

std::span<const std::byte> MatrixDataset::bytes(std::size_t at_most) {
  if (used_ == block_.nbytes()) {
    const std::int64_t count = std::min(left_, rows_per_block_);
    // Before the next one is made: two blocks at a time are one too many.
    block_ = at::Tensor();
    block_ = next_(count).contiguous();
    used_ = 0;
    left_ -= count;
  }
  // At most the rest of one block, even when more is asked for: bytes stay where they lie, and two blocks are not
  // adjacent.
  const std::size_t count = std::min(at_most, block_.nbytes() - used_);
  const std::span some(static_cast<const std::byte*>(block_.const_data_ptr()) + used_, count);
  used_ += count;
  return some;
}

}  // namespace negatron
