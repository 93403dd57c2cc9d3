#include "runtime/snapshots/bank_reader.h"

#include <algorithm>

namespace negatron {
namespace {

BankBlock part(const BankBlock& block, std::int64_t begin, std::int64_t count) {
  const auto rows = [&](const at::Tensor& all) { return all.narrow(0, begin, count); };
  return {rows(block.vectors), rows(block.ids), rows(block.labels), rows(block.steps), rows(block.sequence)};
}

BankBlock join(const std::vector<BankBlock>& parts) {
  if (parts.size() == 1) return parts.front();
  const auto all = [&](at::Tensor BankBlock::*which) {
    std::vector<at::Tensor> tensors;
    for (const BankBlock& one : parts) tensors.push_back(one.*which);
    return at::cat(tensors);
  };
  return {all(&BankBlock::vectors), all(&BankBlock::ids), all(&BankBlock::labels), all(&BankBlock::steps),
          all(&BankBlock::sequence)};
}

}  // namespace

BankReader::BankReader(std::filesystem::path directory, const SavedBank& bank, std::int64_t block_bytes)
    : directory_(std::move(directory)), bank_(bank), layout_(bank.layout, bank.shards) {
  const std::int64_t row_bytes = bank.width * static_cast<std::int64_t>(c10::elementSize(bank.dtype));
  buffer_rows_ = std::max<std::int64_t>(1, block_bytes / row_bytes / bank.shards);
}

BankBlock BankReader::read(Range sequence) {
  if (sequence.begin < layout_.floor() || sequence.end > layout_.head() || sequence.size() < 1) {
    throw SnapshotError("The bank of '" + directory_.string() + "' has no keys " + std::to_string(sequence.begin) +
                        " to " + std::to_string(sequence.end) + ".");
  }
  std::vector<BankBlock> parts;
  auto batch = std::partition_point(layout_.batches().begin(), layout_.batches().end(),
                                    [&](const BankBatch& one) { return one.end() <= sequence.begin; });
  for (; batch != layout_.batches().end() && batch->start < sequence.end; ++batch) {
    for (int shard = 0; shard < bank_.shards; ++shard) {
      const Range own = share(batch->size, bank_.shards, shard);
      const Range wanted{std::max(sequence.begin, batch->start + own.begin),
                         std::min(sequence.end, batch->start + own.end)};
      if (wanted.begin < wanted.end) parts.push_back(read_shard(shard, wanted));
    }
  }
  return join(parts);
}

// Example: a bank of 4 shards restored onto 3 ranks, batches of 12 keys. The files hold offsets 0 to 2, 3 to 5, 6 to 8
// and 9 to 11 of each batch, the ranks want 0 to 3, 4 to 7 and 8 to 11: they read shards 0 and 1, 1 and 2, 2 and 3. No
// rank needs all files, which is why each of them verifies only its own.
std::vector<int> BankReader::shards_for(int rank, int ranks) const {
  std::vector<int> needed;
  for (int shard = 0; shard < bank_.shards; ++shard) {
    const bool overlaps = std::any_of(layout_.batches().begin(), layout_.batches().end(), [&](const BankBatch& batch) {
      const Range mine = share(batch.size, ranks, rank);
      const Range theirs = share(batch.size, bank_.shards, shard);
      return std::max(mine.begin, theirs.begin) < std::min(mine.end, theirs.end);
    });
    if (overlaps) needed.push_back(shard);
  }
  return needed;
}

BankReader::Shard& BankReader::open(int shard) {
  const auto known = shards_.find(shard);
  if (known != shards_.end()) return known->second;
  const std::filesystem::path path = directory_ / bank_file_name(shard, bank_.shards);
  Shard opened{Hdf5Reader(path), RingOrder(layout_, shard), 0, {}};
  const auto require = [&](bool condition, const std::string& what) {
    if (!condition)
      throw SnapshotError("'" + path.string() + "' is not the file of this bank: its " + what + " differs.");
  };
  const auto attribute = [&](const char* name) { return opened.file.integer_attribute("/", name); };
  require(attribute("format") <= kSnapshotFormat, "format");
  require(attribute("capacity") == layout_.capacity(), "capacity");
  require(attribute("head") == layout_.head(), "head");
  require(attribute("shard") == shard && attribute("shards") == bank_.shards, "shard");
  const std::int64_t rows = opened.order.size();
  const Hdf5Reader::Dataset vectors = opened.file.dataset("rows");
  require(vectors.dtype == bank_.dtype, "type of rows");
  require(vectors.shape == std::vector{rows, bank_.width}, "shape of rows");
  for (const char* name : {"ids", "labels", "steps", "sequence"}) {
    const Hdf5Reader::Dataset column = opened.file.dataset(name);
    require(column.dtype == at::kLong && column.shape == std::vector{rows}, std::string("dataset ") + name);
  }
  return shards_.emplace(shard, std::move(opened)).first->second;
}

BankBlock BankReader::read_shard(int number, Range sequence) {
  Shard& shard = open(number);
  const std::int64_t first = shard.order.position_of(sequence.begin);
  const std::int64_t count = sequence.size();
  const std::int64_t held = shard.buffer.ids.defined() ? shard.buffer.ids.size(0) : 0;
  if (first < shard.first || first + count > shard.first + held) {
    shard.buffer = load(shard, first, std::min(std::max(count, buffer_rows_), shard.order.size() - first));
    shard.first = first;
  }
  return part(shard.buffer, first - shard.first, count);
}

BankBlock BankReader::load(Shard& shard, std::int64_t first, std::int64_t count) const {
  const auto rows = [&](const char* name) { return shard.file.read_rows(name, first, count); };
  BankBlock block{rows("rows"), rows("ids"), rows("labels"), rows("steps"), rows("sequence")};
  const auto* sequence = block.sequence.const_data_ptr<std::int64_t>();
  const auto* step = block.steps.const_data_ptr<std::int64_t>();
  for (const RingOrder::Stretch& stretch : shard.order.stretches({first, first + count})) {
    for (std::int64_t i = 0; i < stretch.count; ++i) {
      if (*sequence++ != stretch.sequence + i || *step++ != stretch.step) {
        throw SnapshotError("A file of the bank in '" + directory_.string() +
                            "' holds other keys than its manifest says.");
      }
    }
  }
  return block;
}

}  // namespace negatron
