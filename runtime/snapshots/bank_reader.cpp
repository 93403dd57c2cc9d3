#include "runtime/snapshots/bank_reader.h"

#include <algorithm>

namespace negatron {
namespace {

BankBlock join(const std::vector<BankBlock>& parts) {
  if (parts.size() == 1) return parts.front();
  const auto all = [&](at::Tensor BankBlock::*which) {
    std::vector<at::Tensor> tensors;
    for (const BankBlock& one : parts) tensors.push_back(one.*which);
    return tensors.front().defined() ? at::cat(tensors) : at::Tensor();
  };
  return {all(&BankBlock::vectors),  all(&BankBlock::ids), all(&BankBlock::labels), all(&BankBlock::steps),
          all(&BankBlock::sequence), all(&BankBlock::raw), all(&BankBlock::moments)};
}

}  // namespace

BankReader::BankReader(std::filesystem::path directory, const SavedBank& bank, std::int64_t block_bytes,
                       Learned learned)
    : directory_(std::move(directory)),
      bank_(bank),
      layout_(bank.layout, bank.shards),
      reads_learned_(rows_learn(bank.kind) && learned == Learned::kRead) {
  const std::int64_t bytes = row_bytes(bank) - (reads_learned_ ? 0 : learned_row_bytes(bank));
  // Every shard keeps a buffer, so they share the bytes: 8 MiB for rows of d = 128 in fp32 and 4 shards are 4096 rows
  // for each. At least one row, or nothing would ever be read.
  buffer_rows_ = std::max<std::int64_t>(1, block_bytes / bytes / bank.shards);
}

// A key is found by arithmetic alone: its batch by sequence number, its shard by share(), its row in the shard's file
// by RingOrder. None of that asks over how many ranks the reading run is laid out.
//
// Example: batches of 12 keys, saved by 4 ranks, of which each holds 3 of every batch, and restored on 3, of which each
// owns 4. Both batches count: keys 0 to 23.
//   file of shard    0                    1                    2                     3
//   keys in it       0 1 2 12 13 14       3 4 5 15 16 17       6 7 8 18 19 20        9 10 11 21 22 23
// New rank 1 owns keys 4 to 7 of the first batch. It reads rows 1 and 2 of shard 1's file (keys 4, 5) and rows 0 and 1
// of shard 2's (keys 6, 7), and joins them in ascending order. For its keys 16 to 19 of the second batch rows 4 and 5
// of the one and 3 and 4 of the other are in the buffers already.
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

// In the example above ranks 0, 1 and 2 of 3 need the files of shards {0, 1}, {1, 2} and {2, 3}. So restoring reads
// each file at most twice here, and no rank verifies files that it does not read. Batches of other sizes are split
// elsewhere, hence the look at all of them.
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
  const std::filesystem::path path = directory_ / bank_file_name(shard, bank_.shards, bank_.name);
  Shard opened{Hdf5Reader(path), RingOrder(layout_, shard), 0, {}};
  const auto require = [&](bool condition, const std::string& what) {
    if (!condition)
      throw SnapshotError("'" + path.string() + "' is not the file of this bank: its " + what + " differs.");
  };
  const auto attribute = [&](const char* name) { return opened.file.integer_attribute("/", name); };
  // The digest tells that these are the bytes that were written; these lines, that they are the bytes of this bank.
  // Whatever is allocated later has sizes that were compared here.
  require(attribute("format") <= kSnapshotFormat, "format");
  // Other files say nothing of it, and are of a version that could not.
  const std::int64_t format = attribute("format");
  const bool any_length = format >= kRowsFormat && attribute(kUnitRows) == 0;
  const bool of_distances = format >= kDistancesFormat && attribute(kDistanceRows) == 1;
  require(any_length == (bank_.length != RowLength::kUnit), "length of rows");
  require(of_distances == (bank_.length == RowLength::kDistance), "length of rows");
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
  if (rows_learn(bank_.kind)) {
    for (const auto& [name, width] : {raw_dataset(bank_), moments_dataset(bank_)}) {
      const Hdf5Reader::Dataset learned = opened.file.dataset(name);
      require(learned.dtype == learned_type(bank_) && learned.shape == std::vector{rows, width},
              std::string("dataset ") + name);
    }
  }
  return shards_.emplace(shard, std::move(opened)).first->second;
}

BankBlock BankReader::read_shard(int number, Range sequence) {
  Shard& shard = open(number);
  const std::int64_t first = shard.order.position_of(sequence.begin);
  const std::int64_t count = sequence.size();
  const std::int64_t held = shard.buffer.ids.defined() ? shard.buffer.ids.size(0) : 0;
  // The new buffer begins with the row that is asked for, because the next question is for later ones. [held, d]
  // vectors, and [held] of each number.
  if (first < shard.first || first + count > shard.first + held) {
    shard.buffer = load(shard, first, std::min(std::max(count, buffer_rows_), shard.order.size() - first));
    shard.first = first;
  }
  return part_of(shard.buffer, first - shard.first, count);
}

BankBlock BankReader::load(Shard& shard, std::int64_t first, std::int64_t count) const {
  const auto rows = [&](const char* name) { return shard.file.read_rows(name, first, count); };
  BankBlock block{rows("rows"), rows("ids"), rows("labels"), rows("steps"), rows("sequence")};
  if (reads_learned_) {
    block.raw = rows(raw_dataset(bank_).name);
    block.moments = rows(moments_dataset(bank_).name);
  }
  const auto* sequence = block.sequence.const_data_ptr<std::int64_t>();
  const auto* step = block.steps.const_data_ptr<std::int64_t>();
  // Every row is compared with what the manifest's table of batches says of it. A file whose rows are right but in
  // another order would otherwise put keys into wrong slots, and nothing later would notice. Rows that stay were
  // written at a step each; those of a memory bank belong to the samples whose numbers are those of their slots, and
  // learned ones to none.
  const auto is_told = [this](const RingOrder::Stretch& stretch, std::int64_t i, std::int64_t id_there,
                              std::int64_t step_there) {
    constexpr std::int64_t kNone = -1;
    if (!rows_stay(bank_.kind)) return step_there == stretch.step;
    return step_there >= kNone && id_there == (rows_have_samples(bank_.kind) ? stretch.sequence + i : kNone);
  };
  const auto* id = block.ids.const_data_ptr<std::int64_t>();
  for (const RingOrder::Stretch& stretch : shard.order.stretches({first, first + count})) {
    for (std::int64_t i = 0; i < stretch.count; ++i) {
      if (*sequence++ != stretch.sequence + i || !is_told(stretch, i, *id++, *step++)) {
        throw SnapshotError("A file of the bank in '" + directory_.string() +
                            "' holds other keys than its manifest says.");
      }
    }
  }
  return block;
}

}  // namespace negatron
