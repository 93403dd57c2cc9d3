#include "runtime/snapshots/bank_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace negatron {
namespace {

/// Turns blocks of rows into the bytes of the five datasets. The vectors come first in the file, so each block is taken
/// once; its numbers are kept until their datasets' turn.
class ShardBytes {
 public:
  ShardBytes(const BankBlockSource& next, std::int64_t rows, std::int64_t rows_per_block)
      : next_(next), left_(rows), rows_per_block_(rows_per_block) {
    for (at::Tensor* column : {&ids_, &labels_, &steps_, &sequence_}) *column = at::empty({rows}, at::kLong);
  }

  void vectors(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      if (used_ == vectors_.nbytes()) take_block();
      const std::size_t count = std::min(bytes.size(), vectors_.nbytes() - used_);
      std::memcpy(bytes.data(), static_cast<const std::byte*>(vectors_.const_data_ptr()) + used_, count);
      used_ += count;
      bytes = bytes.subspan(count);
    }
  }

  ByteSource column(at::Tensor ShardBytes::*which) {
    return [this, which, used = std::size_t{0}](std::span<std::byte> bytes) mutable {
      if (left_ > 0) throw SnapshotError("The numbers of a shard were asked for before its vectors.");
      std::memcpy(bytes.data(), static_cast<const std::byte*>((this->*which).const_data_ptr()) + used, bytes.size());
      used += bytes.size();
    };
  }

  at::Tensor ids_;
  at::Tensor labels_;
  at::Tensor steps_;
  at::Tensor sequence_;

 private:
  void take_block() {
    const std::int64_t count = std::min(left_, rows_per_block_);
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

  const BankBlockSource& next_;
  std::int64_t left_;
  std::int64_t rows_per_block_;
  std::int64_t done_ = 0;
  at::Tensor vectors_ = at::empty({0});
  std::size_t used_ = 0;
};

}  // namespace

std::string bank_file_name(int shard, int shards) {
  char text[64];
  std::snprintf(text, sizeof text, "bank.%05d-of-%05d.h5", shard, shards);
  return text;
}

FileDigest write_bank_file(FileLayer& files, const std::filesystem::path& path, const SavedBank& bank, int shard,
                           const BankBlockSource& next, const FileWriting& writing) {
  const BankLayout layout(bank.layout, bank.shards);
  const std::int64_t rows = RingOrder(layout, shard).size();
  const std::int64_t row_bytes = bank.width * static_cast<std::int64_t>(c10::elementSize(bank.dtype));
  ShardBytes bytes(next, rows, std::max<std::int64_t>(1, writing.block_bytes / row_bytes));
  Hdf5Plan plan;
  plan.datasets.push_back({"rows", bank.dtype, {rows, bank.width}, false, [&](auto span) { bytes.vectors(span); }});
  plan.datasets.push_back({"ids", at::kLong, {rows}, false, bytes.column(&ShardBytes::ids_)});
  plan.datasets.push_back({"labels", at::kLong, {rows}, false, bytes.column(&ShardBytes::labels_)});
  plan.datasets.push_back({"steps", at::kLong, {rows}, false, bytes.column(&ShardBytes::steps_)});
  plan.datasets.push_back({"sequence", at::kLong, {rows}, false, bytes.column(&ShardBytes::sequence_)});
  const auto attribute = [&](const char* name, std::int64_t value) { plan.attributes.push_back({"/", name, value}); };
  attribute("format", kSnapshotFormat);
  attribute("capacity", layout.capacity());
  attribute("width", bank.width);
  attribute("head", layout.head());
  attribute("filled", layout.filled());
  attribute("shard", shard);
  attribute("shards", bank.shards);
  return write_hdf5(files, path, plan, writing);
}

}  // namespace negatron
