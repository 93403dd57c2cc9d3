#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/file_writing.h"
#include "runtime/snapshots/hdf5/block_datasets.h"
#include "runtime/snapshots/hdf5/matrix_dataset.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// What is true of a whole saved bank, however many files it lies in.
struct SavedBank {
  BankLayoutState layout;
  /// Over how many ranks it is laid out; one file each.
  int shards = 1;
  /// Of rows; that of their vectors is vector_width(length, width).
  std::int64_t width = 0;
  at::ScalarType dtype = at::kFloat;
  BankKind kind = BankKind::kQueue;
  RowLength length = RowLength::kUnit;
  /// Of rows that learn.
  RowOptimizerKind row_optimizer = RowOptimizerKind::kSgd;
  /// What tells it from the other banks of its snapshot; empty where it is the only one.
  std::string name = {};
};

/// The newest version of the files and of the manifest that is known here. A reader takes all versions up to its own.
/// Version 2 knows banks of another kind than the queue, version 3 rows of any length, the weights of a classifier and
/// the optimizers of rows beside sgd, version 4 banks that have names, several of them in one snapshot, version 5 rows
/// that are scored by distances.
inline constexpr std::int64_t kSnapshotFormat = 5;
inline constexpr std::int64_t kRowsFormat = 3;
inline constexpr std::int64_t kNamesFormat = 4;
inline constexpr std::int64_t kDistancesFormat = 5;

/// The oldest version that can say what is to be said of such a bank: what is written, so that older programs go on
/// reading queues of unit rows.
std::int64_t format_for(const SavedBank& bank);
/// "queue", "memory", "learned", "index", "parametric"
std::string kind_text(BankKind kind);
/// Throws std::invalid_argument.
BankKind kind_of_text(const std::string& text);
/// "sgd", "adagrad", "adam"
std::string row_optimizer_text(RowOptimizerKind kind);
/// Throws std::invalid_argument.
RowOptimizerKind row_optimizer_of_text(const std::string& text);
/// Of the name_of() a length. Throws std::invalid_argument.
RowLength length_of_text(const std::string& text);

/// "bank.00000-of-00004.h5", and of the bank "view-a" "bank-view-a.00000-of-00004.h5".
std::string bank_file_name(int shard, int shards, std::string_view bank = {});
/// "bank.h5", "bank-view-a.h5"
std::string virtual_bank_name(std::string_view bank = {});
/// Whether files of the names above can be told from others: up to 32 letters a to z, digits and hyphens.
bool is_bank_name(std::string_view name);
/// The way back from either, whatever the numbers: nothing for another name.
std::optional<std::string> bank_of_shard_file(const std::string& name);
std::optional<std::string> bank_of_virtual_file(const std::string& name);

/// How raw rows and what their optimizer remembers are stored: fp32, or fp64 beside rows in fp64.
at::ScalarType learned_type(const SavedBank& bank);
/// Bytes of a row that learns beside what scores: those of the raw row and of its moments; 0 for other rows.
std::int64_t learned_row_bytes(const SavedBank& bank);
/// Bytes of a row with them.
std::int64_t row_bytes(const SavedBank& bank);

/// What the file of a shard is made of, in ring order. Each source gives every row once.
struct ShardSources {
  BankBlockSource blocks;
  /// Of rows that learn; empty for others.
  MatrixSource raw = {};
  MatrixSource moments = {};
};

/// A dataset of rows that learn, and how many numbers of a row it has.
struct LearnedDataset {
  const char* name;
  std::int64_t width;
};
/// Of raw rows.
LearnedDataset raw_dataset(const SavedBank& bank);
/// Of what their optimizer remembers: "velocity" of sgd, "squares" of adagrad, "moments" of adam.
LearnedDataset moments_dataset(const SavedBank& bank);
/// The attribute of files from version 3 on: 0 where rows have any length, else 1.
inline constexpr const char* kUnitRows = "unit_rows";
/// That of files from version 5 on: 1 where rows are those of distances, else 0.
inline constexpr const char* kDistanceRows = "distance_rows";
/// Those of them that the files of such a bank have, and their values.
std::vector<std::pair<const char*, std::int64_t>> length_attributes(const SavedBank& bank);

/// Writes one shard: datasets rows [n, d], ids, labels, steps, sequence [n] int64, oldest key first, and of rows that
/// learn raw [n, d of vectors] and moments_dataset(); attributes format, capacity, width, head, shard, shards, filled
/// and length_attributes(). n is RingOrder(bank.layout over bank.shards, shard).size(). A row that no step wrote has
/// step and id -1. Takes each row from a source once; in memory are about two blocks of rows, and the four numbers of
/// every row. Local.
FileDigest write_bank_file(FileLayer& files, const std::filesystem::path& path, const SavedBank& bank, int shard,
                           const ShardSources& sources, const FileWriting& writing);

}  // namespace negatron
