#include "runtime/bank_files/verify_bank.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/bank_files/distance_numbers.h"
#include "runtime/bank_files/find_duplicates.h"
#include "runtime/bank_files/open_bank.h"
#include "runtime/bank_files/row_norms.h"
#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// The sentence of what `look` throws; empty when it does not.
template <typename Look>
std::string problem_of(const Look& look) {
  try {
    look();
    return {};
  } catch (const SnapshotError& error) {
    return error.what();
  }
}

/// Every object can be read, as far as HDF5 says without reading it.
void check_trainer(const fs::path& path) {
  const Hdf5Reader file(path);
  for (const std::string& name : file.names("tensors")) file.dataset("tensors/" + name);
  for (const std::string& name : file.names("text")) file.read_text("text/" + name);
  for (const std::string& name : file.attribute_names("numbers")) file.attribute("numbers", name);
}

/// What the manifest's table of batches says about steps. The manifest is at fault when it is wrong.
void check_steps(const OpenBank& bank) {
  const std::string name = "'" + (bank.path / kManifestName).string() + "'";
  std::int64_t last = -1;
  for (const BankBatch& batch : bank.bank().layout.batches) {
    if (batch.step > bank.manifest.step) {
      throw SnapshotError(name + " says that keys were written at step " + std::to_string(batch.step) +
                          ", after the snapshot of step " + std::to_string(bank.manifest.step) + ".");
    }
    if (batch.step < last) {
      throw SnapshotError(name + " says that keys of step " + std::to_string(batch.step) +
                          " came after those of step " + std::to_string(last) + ".");
    }
    last = batch.step;
  }
}

/// What is computed of an element in fp64 to hold it to its raw row.
constexpr std::int64_t kComparedBytesPerElement = 2 * sizeof(double);

/// Rows that stay were written at steps that the manifest's table of batches does not know.
bool is_written_later(const OpenBank& bank, std::int64_t step) {
  return rows_stay(bank.bank().kind) && step > bank.manifest.step;
}

/// [m] bool: rows that learn that are not what their raw rows come to, or whose moments no optimizer
/// remembers.
/// Rows are told as they are stored, so that those in bf16 may differ from others by a few of its steps.
at::Tensor contradicted(const BankBlock& block, const SavedBank& bank) {
  constexpr double kRounding = 8.0;
  const double step = block.vectors.scalar_type() == at::kBFloat16 ? 0x1p-8
                      : block.vectors.scalar_type() == at::kHalf   ? 0x1p-11
                                                                   : 0x1p-23;
  const at::Tensor rows = block.vectors.to(at::kDouble);
  const at::Tensor gap = (scored_rows(block.raw.to(at::kDouble), bank.length) - rows).abs().amax(1);
  // Of a long row the largest number has the largest steps.
  const at::Tensor size = rows.abs().amax(1).clamp_min(1.0);
  // What follows a velocity, or Adam's mean, are sums of squares and steps.
  const std::int64_t signed_numbers = bank.row_optimizer == RowOptimizerKind::kAdagrad ? 0 : block.raw.size(1);
  const at::Tensor moves =
      block.moments.isfinite().all(1).logical_and_(block.moments.slice(1, signed_numbers).ge(0).all(1));
  // Not a number is not below the bound.
  return (gap <= kRounding * step * size).logical_and_(moves).logical_not_();
}

/// One shard's rows, read through the reader, which compares sequence numbers, steps, shapes and types.
void check_shard(const OpenBank& bank, int shard, std::int64_t rows_per_block) {
  const fs::path path = bank.path / bank_file_name(shard, bank.bank().shards, bank.bank().name);
  const std::string name = "'" + path.string() + "'";
  BankReader reader = bank.whole_reader(rows_per_block * bank.bank().shards);
  const RingOrder order(reader.layout(), shard);
  {
    const Hdf5Reader file(path);
    const auto require = [&](const char* attribute, std::int64_t expected) {
      const std::int64_t found = file.integer_attribute("/", attribute);
      if (found == expected) return;
      throw SnapshotError(name + " says " + attribute + " " + std::to_string(found) + ", its manifest " +
                          std::to_string(expected) + ".");
    };
    require("width", bank.bank().width);
    require("filled", reader.layout().filled());
    // The reader opens the file with the first row only.
    if (order.size() == 0 && file.dataset("rows").shape != std::vector<std::int64_t>{0, bank.bank().width}) {
      throw SnapshotError(name + " holds rows, but its manifest says that it has none.");
    }
  }
  for (std::int64_t begin = 0; begin < order.size(); begin += rows_per_block) {
    for (const RingOrder::Stretch& stretch : order.stretches({begin, std::min(begin + rows_per_block, order.size())})) {
      const BankBlock block = reader.read({stretch.sequence, stretch.sequence + stretch.count});
      const at::Tensor norms = row_norms(block.vectors);
      const at::Tensor wrong =
          block.raw.defined() ? contradicted(block, bank.bank()) : at::zeros({norms.numel()}, at::kBool);
      const auto* is_wrong = wrong.const_data_ptr<bool>();
      const auto* norm = norms.const_data_ptr<double>();
      const auto* step = block.steps.const_data_ptr<std::int64_t>();
      for (std::int64_t i = 0; i < norms.numel(); ++i) {
        const auto key = [&] { return name + ": the key " + std::to_string(stretch.sequence + i); };
        if (is_written_later(bank, step[i])) {
          throw SnapshotError(key() + " was written at step " + std::to_string(step[i]) +
                              ", after the snapshot of step " + std::to_string(bank.manifest.step) + ".");
        }
        if (std::isnan(norm[i])) throw SnapshotError(key() + " holds a number that is not finite.");
        if (bank.bank().length == RowLength::kUnit && !is_unit_row(block.vectors, i, norm[i])) {
          throw SnapshotError(key() + " has norm " + std::to_string(norm[i]) + " and not 1.");
        }
        if (bank.bank().length == RowLength::kDistance) {
          const std::string problem = problem_of_distance_row(block.vectors, i);
          if (!problem.empty()) throw SnapshotError(key() + " " + problem + ".");
        }
        if (!is_wrong[i]) continue;
        throw SnapshotError(key() +
                            " is not what its raw row comes to, or moves by numbers that no optimizer remembers.");
      }
    }
  }
}

/// The first pair of equal rows, as a problem of the later one's file.
void check_duplicates(const OpenBank& bank, const BankMemory& memory, SnapshotVerdict& verdict) {
  DuplicateOptions options;
  options.dtype = bank.bank().dtype;
  options.without_id = false;
  const BankLayout layout = bank.layout();
  find_duplicates({bank}, options, memory, [&](const RowPlace& first, const RowPlace& again) {
    const int shard = layout.place_of(again.sequence % layout.capacity())->rank;
    const std::string name = bank_file_name(shard, bank.bank().shards, bank.bank().name);
    for (FileVerdict& file : verdict.files) {
      if (file.name != name || !file.problem.empty()) continue;
      file.problem = "'" + (bank.path / name).string() + "': the key " + std::to_string(again.sequence) +
                     " is the key " + std::to_string(first.sequence) + " once more: id, step and vector are equal.";
    }
  });
}

void check_files(const FileLayer& files, const Manifest& manifest, const BankMemory& memory, SnapshotVerdict& verdict) {
  const std::int64_t block = std::min(kDigestBlockBytes, memory.left());
  for (const ManifestFile& file : manifest.files) {
    const fs::path path = verdict.path / file.name;
    const std::string problem = problem_of([&] {
      check_file(files, path, file.digest, block);
      if (file.name == kTrainerName) check_trainer(path);
    });
    verdict.files.push_back({file.name, file.digest.bytes, problem});
  }
}

void check_bank(const OpenBank& bank, const BankMemory& memory, SnapshotVerdict& verdict) {
  std::string& of_manifest = verdict.files.front().problem;
  if (of_manifest.empty()) of_manifest = problem_of([&] { check_steps(bank); });
  const std::int64_t bytes_per_row =
      bank.bytes_while_reading_whole() + (kNormBytesPerElement + kComparedBytesPerElement) * bank.bank().width;
  const std::int64_t rows = std::max<std::int64_t>(1, memory.left() / bytes_per_row);
  bool all_shards = true;
  for (int shard = 0; shard < bank.bank().shards; ++shard) {
    const std::string name = bank_file_name(shard, bank.bank().shards, bank.bank().name);
    const auto file = std::find_if(verdict.files.begin(), verdict.files.end(),
                                   [&](const FileVerdict& one) { return one.name == name; });
    if (file->problem.empty()) file->problem = problem_of([&] { check_shard(bank, shard, rows); });
    all_shards = all_shards && file->problem.empty();
  }
  // Looking for duplicates reads all shards together, and the first damaged one would end it with a throw.
  if (all_shards) check_duplicates(bank, memory, verdict);
}

}  // namespace

bool SnapshotVerdict::good() const {
  return std::all_of(files.begin(), files.end(), [](const FileVerdict& file) { return file.problem.empty(); });
}

SnapshotVerdict verify_bank(const FileLayer& files, const fs::path& snapshot, const BankMemory& memory) {
  SnapshotVerdict verdict;
  verdict.path = snapshot;
  Manifest manifest;
  FileVerdict of_manifest{std::string(kManifestName), 0, {}};
  of_manifest.problem = problem_of([&] {
    of_manifest.bytes = files.open(snapshot / kManifestName)->size();
    manifest = read_manifest(files, snapshot);
  });
  verdict.files.push_back(of_manifest);
  if (!of_manifest.problem.empty()) return verdict;

  // From the outside in: each look relies on what the one before found right. Damage of one file does not end the work,
  // so the user sees all files that are damaged and not one at a time.
  check_files(files, manifest, memory, verdict);
  for (std::size_t i = 0; i < manifest.banks.size(); ++i) check_bank({snapshot, manifest, {}, i}, memory, verdict);
  std::set<std::string> known{std::string(kManifestName)};
  for (const ManifestFile& file : manifest.files) known.insert(file.name);
  for (const std::string& name : files.list(snapshot)) {
    if (known.count(name) == 0) verdict.strangers.push_back(name);
  }
  std::sort(verdict.strangers.begin(), verdict.strangers.end());
  return verdict;
}

}  // namespace negatron
