#include "runtime/snapshots/hdf5/block_datasets.h"

#include <cstring>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

BlockDatasets::BlockDatasets(BankBlockSource next, std::int64_t rows, std::int64_t rows_per_block)
    : next_(std::move(next)),
      rows_(rows),
      vectors_([this](std::int64_t count) { return take_block(count); }, rows, rows_per_block) {
  for (at::Tensor* column : {&ids_, &labels_, &steps_, &sequence_}) *column = at::empty({rows}, at::kLong);
}

void BlockDatasets::add_to(Hdf5Layout& plan, at::ScalarType dtype, std::int64_t width) {
  vectors_.add_to(plan, "rows", dtype, width);
  // The numbers are 32 bytes a row and stay in memory until all vectors are written; the vectors, some hundred or
  // thousand bytes a row, never lie there as a whole.
  plan.datasets.push_back({"ids", at::kLong, {rows_}, false, column(&BlockDatasets::ids_)});
  plan.datasets.push_back({"labels", at::kLong, {rows_}, false, column(&BlockDatasets::labels_)});
  plan.datasets.push_back({"steps", at::kLong, {rows_}, false, column(&BlockDatasets::steps_)});
  plan.datasets.push_back({"sequence", at::kLong, {rows_}, false, column(&BlockDatasets::sequence_)});
}

ByteSource BlockDatasets::column(at::Tensor BlockDatasets::*which) {
  return [this, which, used = std::size_t{0}](std::size_t count) mutable {
    if (!vectors_.done()) throw SnapshotError("The numbers of a shard were asked for before its vectors.");
    const std::span bytes(static_cast<const std::byte*>((this->*which).const_data_ptr()) + used, count);
    used += count;
    return bytes;
  };
}

at::Tensor BlockDatasets::take_block(std::int64_t rows) {
  const BankBlock block = next_(rows);
  const auto keep = [&](at::Tensor& all, const at::Tensor& some) {
    std::memcpy(all.mutable_data_ptr<std::int64_t>() + done_, some.const_data_ptr<std::int64_t>(), some.nbytes());
  };
  keep(ids_, block.ids);
  keep(labels_, block.labels);
  keep(steps_, block.steps);
  keep(sequence_, block.sequence);
  done_ += rows;
  return block.vectors;
}

}  // namespace negatron
