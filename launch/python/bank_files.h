#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "runtime/bank_files/bank_info.h"
#include "runtime/bank_files/import_rows.h"
#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/near_rows.h"

namespace negatron::python {

/// What people of Python give a bank's name by.
inline constexpr const char* kNameArgument = "name=";

// What `negatron bank` does, for a program. Paths are those of snapshots or of runs; `name` is that of one of several
// banks of a snapshot, else empty; `memory_mib` is the command's --memory. Texts are the JSON that the command prints
// with --json. All are local, and throw std::invalid_argument and SnapshotError as what they call.

std::string info_of_bank(const std::string& path, const std::string& name, const BankInfoOptions& options,
                         std::int64_t memory_mib);
/// Of a run: of all its snapshots.
std::string verdict_on_bank(const std::string& path, std::int64_t memory_mib);
/// A name chooses where there is a choice: one of two views may be compared with the bank of a run that has one.
std::string difference_of_banks(const std::string& path_a, const std::string& path_b, const std::string& name,
                                double tolerance, std::int64_t memory_mib);

std::string reshard_to(const std::string& path, const std::string& out, std::int64_t ranks, std::int64_t memory_mib);
/// Of snapshots that hold one bank each.
std::string merge_to(const std::vector<std::string>& paths, const std::string& out, const MergeOptions& options,
                     std::int64_t memory_mib);
/// `rows` [K, d], or [d, K] where the options say so, of any floating dtype, become a bank.
std::string import_to(const at::Tensor& rows, const std::string& out, const ImportOptions& options,
                      std::int64_t memory_mib);

/// Which rows of a bank are meant: those of these samples, of these labels, or a range of sequence numbers. One of
/// them.
struct RowChoice {
  std::optional<std::vector<std::int64_t>> ids;
  std::optional<std::vector<std::int64_t>> labels;
  std::optional<Range> range;
};

/// Rows of a bank, the oldest first.
struct ChosenRows {
  BankBlock rows;
  /// The ids or labels that no row has.
  std::vector<std::int64_t> missing;
  /// What people should hear about how the snapshot was chosen.
  std::vector<std::string> notes;
};

/// Throws std::invalid_argument where no row is meant.
ChosenRows rows_of_bank(const std::string& path, const std::string& name, const RowChoice& choice,
                        std::int64_t memory_mib);
/// The same into a file (extract_rows.h). JSON: path, rows, and the ids or labels that were not found.
std::string extract_to(const std::string& path, const std::string& out, const std::string& name,
                       const RowChoice& choice, std::int64_t memory_mib);

/// Who is looked for.
struct NearRequest {
  /// [n, d] of any floating dtype, or undefined: the samples `ids` then.
  at::Tensor queries;
  std::vector<std::int64_t> ids;
  std::int64_t top = 10;
  bool normalize = false;
};

struct NearAnswer {
  NearRows rows;
  /// [n] int64: the sample of each query, -1 for vectors.
  at::Tensor samples;
  std::vector<std::int64_t> missing;
  std::vector<std::string> notes;
};

/// Throws std::invalid_argument where none of the samples has a row.
NearAnswer rows_near(const std::string& path, const std::string& name, const NearRequest& request,
                     std::int64_t memory_mib);

}  // namespace negatron::python
