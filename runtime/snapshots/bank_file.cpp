#include "runtime/snapshots/bank_file.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "runtime/snapshots/hdf5/write_hdf5.h"
#include "runtime/text/utf8_text.h"

namespace negatron {

std::int64_t format_for(const SavedBank& bank) {
  constexpr std::int64_t kFirst = 1, kKinds = 2;
  if (bank.length != RowLength::kUnit) return kRawRowsFormat;
  return bank.kind == BankKind::kQueue ? kFirst : kKinds;
}

std::string kind_text(BankKind kind) {
  switch (kind) {
    case BankKind::kQueue:
      return "queue";
    case BankKind::kMemory:
      return "memory";
    case BankKind::kLearned:
      return "learned";
    case BankKind::kIndex:
      return "index";
  }
  return {};
}

BankKind kind_of_text(const std::string& text) {
  for (const BankKind kind : {BankKind::kQueue, BankKind::kMemory, BankKind::kLearned, BankKind::kIndex}) {
    if (text == kind_text(kind)) return kind;
  }
  throw std::invalid_argument("its bank is of the unknown kind '" + shown_text(text) + "'");
}

RowLength length_of_text(const std::string& text) {
  for (const RowLength length : {RowLength::kUnit, RowLength::kAsMade}) {
    if (text == name_of(length)) return length;
  }
  throw std::invalid_argument("its bank has rows of the unknown length '" + shown_text(text) + "'");
}

at::ScalarType learned_type(const SavedBank& bank) {
  return bank.dtype == at::kDouble ? at::kDouble : at::kFloat;
}

std::int64_t learned_bytes(const SavedBank& bank) {
  constexpr std::int64_t kArrays = 2;
  return bank.kind == BankKind::kLearned ? kArrays * static_cast<std::int64_t>(c10::elementSize(learned_type(bank)))
                                         : 0;
}

std::string bank_file_name(int shard, int shards) {
  char text[64];
  std::snprintf(text, sizeof text, "bank.%05d-of-%05d.h5", shard, shards);
  return text;
}

FileDigest write_bank_file(FileLayer& files, const std::filesystem::path& path, const SavedBank& bank, int shard,
                           const ShardSources& sources, const FileWriting& writing) {
  const BankLayout layout(bank.layout, bank.shards);
  const std::int64_t rows = RingOrder(layout, shard).size();
  const std::int64_t row_bytes =
      bank.width * (static_cast<std::int64_t>(c10::elementSize(bank.dtype)) + learned_bytes(bank));
  // The reader of the plan asks for block_bytes at a time, and a block holds as many whole rows as fit into them.
  const std::int64_t rows_per_block = std::max<std::int64_t>(1, writing.block_bytes / row_bytes);
  BlockDatasets datasets(sources.blocks, rows, rows_per_block);
  Hdf5Layout plan;
  datasets.add_to(plan, bank.dtype, bank.width);
  MatrixDataset raw(sources.raw, rows, rows_per_block);
  MatrixDataset velocity(sources.velocity, rows, rows_per_block);
  if (bank.kind == BankKind::kLearned) {
    raw.add_to(plan, kRawRows, learned_type(bank), bank.width);
    velocity.add_to(plan, kRowVelocities, learned_type(bank), bank.width);
  }
  const auto attribute = [&](const char* name, std::int64_t value) { plan.attributes.push_back({"/", name, value}); };
  attribute("format", format_for(bank));
  attribute("capacity", layout.capacity());
  attribute("width", bank.width);
  attribute("head", layout.head());
  attribute("filled", layout.filled());
  attribute("shard", shard);
  attribute("shards", bank.shards);
  if (bank.length != RowLength::kUnit) attribute(kUnitRows, 0);
  return write_hdf5(files, path, plan, writing);
}

}  // namespace negatron
