#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// Rows that are `first` to `last` steps old.
struct AgeBin {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t rows = 0;
};

struct BankInfoOptions {
  /// Of the choice of rows for uniformity.
  std::uint64_t seed = 0;
  /// How many rows uniformity is computed over, all pairs of them; fewer when they do not fit into memory.
  std::int64_t uniformity_rows = 2048;
};

/// What people ask about a bank.
struct BankInfo {
  /// Of the files of the bank, and of the whole snapshot.
  std::int64_t bank_bytes = 0;
  std::int64_t snapshot_bytes = 0;

  /// Age in steps of the rows that a step wrote: up to ten bins of equal width, youngest first.
  std::vector<AgeBin> ages;
  double mean_age = 0.0;
  /// Random rows of the start, and imported ones: no step wrote them.
  std::int64_t rows_without_step = 0;
  std::int64_t rows_without_id = 0;

  /// Rows of each label. Left empty beyond kMostLabels different ones, which `many_labels` says.
  std::map<std::int64_t, std::int64_t> labels;
  bool many_labels = false;
  std::int64_t rows_without_label = 0;
  static constexpr std::size_t kMostLabels = 1 << 16;

  /// Of the rows that are finite; NaN without any.
  double norm_min = 0.0;
  double norm_mean = 0.0;
  double norm_max = 0.0;
  std::int64_t rows_not_finite = 0;

  /// log E exp(-2 |x - y|^2) over all pairs of `uniformity_rows` rows drawn without replacement, of raw ones their
  /// directions; NaN below two rows.
  double uniformity = 0.0;
  std::int64_t uniformity_rows = 0;
};

/// Reads the bank once. Local. Throws SnapshotError.
BankInfo bank_info(const OpenBank& bank, const BankInfoOptions& options, BankMemory memory);

}  // namespace negatron
