#include "runtime/snapshots/hdf5/block_datasets.h"

#include <algorithm>
#include <cstring>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

BlockDatasets::BlockDatasets(BankBlockSource next, std::int64_t rows, std::int64_t rows_per_block)
    : next_(std::move(next)), rows_(rows), left_(rows), rows_per_block_(rows_per_block) {
  for (at::Tensor* column : {&ids_, &labels_, &steps_, &sequence_}) *column = at::empty({rows}, at::kLong);
}

void BlockDatasets::add_to(Hdf5Layout& plan, at::ScalarType dtype, std::int64_t width) {
  plan.datasets.push_back(
      {"rows", dtype, {rows_, width}, false, [this](std::size_t at_most) { return vectors(at_most); }});
  // The numbers are 32 bytes a row and stay in memory until all vectors are written; the vectors, some hundred or
  // thousand bytes a row, never lie there as a whole.
  plan.datasets.push_back({"ids", at::kLong, {rows_}, false, column(&BlockDatasets::ids_)});
  plan.datasets.push_back({"labels", at::kLong, {rows_}, false, column(&BlockDatasets::labels_)});
  plan.datasets.push_back({"steps", at::kLong, {rows_}, false, column(&BlockDatasets::steps_)});
  plan.datasets.push_back({"sequence", at::kLong, {rows_}, false, column(&BlockDatasets::sequence_)});
}

std::span<const std::byte> BlockDatasets::vectors(std::size_t at_most) {
  // At most the rest of one block, even when more is asked for: bytes stay where they lie, and two blocks are not
  // adjacent.
  if (used_ == vectors_.nbytes()) take_block();
  const std::size_t count = std::min(at_most, vectors_.nbytes() - used_);
  const std::span bytes(static_cast<const std::byte*>(vectors_.const_data_ptr()) + used_, count);
  used_ += count;
  return bytes;
}

ByteSource BlockDatasets::column(at::Tensor BlockDatasets::*which) {
  return [this, which, used = std::size_t{0}](std::size_t count) mutable {
    if (left_ > 0) throw SnapshotError("The numbers of a shard were asked for before its vectors.");
    const std::span bytes(static_cast<const std::byte*>((this->*which).const_data_ptr()) + used, count);
    used += count;
    return bytes;
  };
}

void BlockDatasets::take_block() {
  const std::int64_t count = std::min(left_, rows_per_block_);
  // Before the next one is made: two blocks at a time are one too many.
  vectors_ = at::Tensor();
  const BankBlock block = next_(count);
  const auto keep = [&](at::Tensor& all, const at::Tensor& some) {
    std::memcpy(all.mutable_data_ptr<std::int64_t>() + done_, some.const_data_ptr<std::int64_t>(), some.nbytes());
  };
  keep(ids_, block.ids);
  keep(labels_, block.labels);
  keep(steps_, block.steps);
  keep(sequence_, block.sequence);
  vectors_ = block.vectors.contiguous();
  used_ = 0;
  done_ += count;
  left_ -= count;
}

}  // namespace negatron
