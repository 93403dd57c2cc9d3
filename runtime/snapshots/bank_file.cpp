#include "runtime/snapshots/bank_file.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "runtime/snapshots/hdf5/write_hdf5.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

constexpr std::string_view kStem = "bank";
constexpr std::string_view kBeforeName = "-";
constexpr const char* kExtension = ".h5";

/// What the names of a bank's files begin with.
std::string stem_of(std::string_view bank) {
  return bank.empty() ? std::string(kStem) : std::string(kStem).append(kBeforeName).append(bank);
}

/// The way back, which no name of a bank makes doubtful: it has no dot.
std::optional<std::string> bank_of_stem(const std::string& stem) {
  if (!stem.starts_with(kStem)) return std::nullopt;
  const std::string rest = stem.substr(kStem.size());
  if (rest.empty()) return rest;
  if (!rest.starts_with(kBeforeName) || !is_bank_name(std::string_view(rest).substr(1))) return std::nullopt;
  return rest.substr(1);
}

}  // namespace

std::int64_t format_for(const SavedBank& bank) {
  constexpr std::int64_t kFirst = 1, kKinds = 2;
  if (bank.length == RowLength::kDistance) return kDistancesFormat;
  if (!bank.name.empty()) return kNamesFormat;
  const bool is_new = bank.length != RowLength::kUnit || bank.kind == BankKind::kParametric ||
                      bank.row_optimizer != RowOptimizerKind::kSgd;
  if (is_new) return kRowsFormat;
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
    case BankKind::kParametric:
      return "parametric";
  }
  return {};
}

BankKind kind_of_text(const std::string& text) {
  for (const BankKind kind :
       {BankKind::kQueue, BankKind::kMemory, BankKind::kLearned, BankKind::kIndex, BankKind::kParametric}) {
    if (text == kind_text(kind)) return kind;
  }
  throw std::invalid_argument("its bank is of the unknown kind '" + shown_text(text) + "'");
}

std::string row_optimizer_text(RowOptimizerKind kind) {
  switch (kind) {
    case RowOptimizerKind::kSgd:
      return "sgd";
    case RowOptimizerKind::kAdagrad:
      return "adagrad";
    case RowOptimizerKind::kAdam:
      return "adam";
  }
  return {};
}

RowOptimizerKind row_optimizer_of_text(const std::string& text) {
  for (const RowOptimizerKind kind : {RowOptimizerKind::kSgd, RowOptimizerKind::kAdagrad, RowOptimizerKind::kAdam}) {
    if (text == row_optimizer_text(kind)) return kind;
  }
  throw std::invalid_argument("the rows of its bank were trained by the unknown '" + shown_text(text) + "'");
}

RowLength length_of_text(const std::string& text) {
  for (const RowLength length : {RowLength::kUnit, RowLength::kAsMade, RowLength::kDistance}) {
    if (text == name_of(length)) return length;
  }
  throw std::invalid_argument("its bank has rows of the unknown length '" + shown_text(text) + "'");
}

at::ScalarType learned_type(const SavedBank& bank) {
  return bank.dtype == at::kDouble ? at::kDouble : at::kFloat;
}

std::int64_t learned_row_bytes(const SavedBank& bank) {
  if (!rows_learn(bank.kind)) return 0;
  const std::int64_t numbers = raw_dataset(bank).width + moments_dataset(bank).width;
  return numbers * static_cast<std::int64_t>(c10::elementSize(learned_type(bank)));
}

std::int64_t row_bytes(const SavedBank& bank) {
  return bank.width * static_cast<std::int64_t>(c10::elementSize(bank.dtype)) + learned_row_bytes(bank);
}

LearnedDataset raw_dataset(const SavedBank& bank) {
  return {"raw", vector_width(bank.length, bank.width)};
}

std::vector<std::pair<const char*, std::int64_t>> length_attributes(const SavedBank& bank) {
  std::vector<std::pair<const char*, std::int64_t>> attributes;
  const std::int64_t format = format_for(bank);
  if (format >= kRowsFormat) attributes.emplace_back(kUnitRows, bank.length == RowLength::kUnit ? 1 : 0);
  if (format >= kDistancesFormat) attributes.emplace_back(kDistanceRows, bank.length == RowLength::kDistance ? 1 : 0);
  return attributes;
}

LearnedDataset moments_dataset(const SavedBank& bank) {
  const std::int64_t width = moments_width(bank.row_optimizer, raw_dataset(bank).width);
  switch (bank.row_optimizer) {
    case RowOptimizerKind::kSgd:
      return {"velocity", width};
    case RowOptimizerKind::kAdagrad:
      return {"squares", width};
    case RowOptimizerKind::kAdam:
      return {"moments", width};
  }
  return {"velocity", width};
}

std::string bank_file_name(int shard, int shards, std::string_view bank) {
  char text[64];
  std::snprintf(text, sizeof text, ".%05d-of-%05d.h5", shard, shards);
  return stem_of(bank) + text;
}

std::string virtual_bank_name(std::string_view bank) {
  return stem_of(bank) + kExtension;
}

bool is_bank_name(std::string_view name) {
  constexpr std::size_t kLongest = 32;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.size() <= kLongest && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::optional<std::string> bank_of_shard_file(const std::string& name) {
  const std::string::size_type dot = name.find('.');
  const std::optional<std::string> bank = bank_of_stem(name.substr(0, dot));
  int shard = 0, shards = 0;
  if (!bank || dot == std::string::npos) return std::nullopt;
  const bool has_numbers = std::sscanf(name.c_str() + dot, ".%d-of-%d.h5", &shard, &shards) == 2;
  return has_numbers && name == bank_file_name(shard, shards, *bank) ? bank : std::nullopt;
}

std::optional<std::string> bank_of_virtual_file(const std::string& name) {
  const std::optional<std::string> bank = bank_of_stem(name.substr(0, name.find('.')));
  return bank && name == virtual_bank_name(*bank) ? bank : std::nullopt;
}

FileDigest write_bank_file(FileLayer& files, const std::filesystem::path& path, const SavedBank& bank, int shard,
                           const ShardSources& sources, const FileWriting& writing) {
  const BankLayout layout(bank.layout, bank.shards);
  const std::int64_t rows = RingOrder(layout, shard).size();
  // The reader of the plan asks for block_bytes at a time, and a block holds as many whole rows as fit into them.
  const std::int64_t rows_per_block = std::max<std::int64_t>(1, writing.block_bytes / row_bytes(bank));
  BlockDatasets datasets(sources.blocks, rows, rows_per_block);
  Hdf5Layout plan;
  datasets.add_to(plan, bank.dtype, bank.width);
  MatrixDataset raw(sources.raw, rows, rows_per_block);
  MatrixDataset moments(sources.moments, rows, rows_per_block);
  if (rows_learn(bank.kind)) {
    raw.add_to(plan, raw_dataset(bank).name, learned_type(bank), raw_dataset(bank).width);
    moments.add_to(plan, moments_dataset(bank).name, learned_type(bank), moments_dataset(bank).width);
  }
  const auto attribute = [&](const char* name, std::int64_t value) { plan.attributes.push_back({"/", name, value}); };
  attribute("format", format_for(bank));
  attribute("capacity", layout.capacity());
  attribute("width", bank.width);
  attribute("head", layout.head());
  attribute("filled", layout.filled());
  attribute("shard", shard);
  attribute("shards", bank.shards);
  for (const auto& [name, value] : length_attributes(bank)) attribute(name, value);
  return write_hdf5(files, path, plan, writing);
}

}  // namespace negatron
