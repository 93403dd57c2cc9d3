#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/cuda/scan_device.h"
#include "samplers/pass/selection/score_bound.h"

namespace negatron {

/// The candidates of each query that score at least its threshold, m slots a query. Of a query with counts <= m they
/// are all there, in its first slots, in no order; of one with more it is not said which, and the other slots mean
/// nothing.
struct FilteredRows {
  at::Tensor scores;  // [Q, m] fp32
  at::Tensor rows;    // [Q, m] int32
  at::Tensor counts;  // [Q] int32, how many reach the threshold
};

/// The queries of a scan.
struct ScannedQueries {
  at::Tensor exact;     // [Q, d] fp32
  at::Tensor parts;     // [p, Q, d] bf16, whose sum the scan takes for them
  at::Tensor excluded;  // [M, 2] int32, pairs (row, query), or undefined
};

/// What NearRowsSearch (near_rows_search.h) is on a CPU: the m best rows of each query by exact score, out of the rows
/// that one scan hands out. Thresholds, certificate and keys are tensors there, so that the host waits for none of it.
/// Beside the result it holds 16 bytes for each of capacity() rows of a query, which are some four times m and 512
/// more. Local.
class DeviceShortlists {
 public:
  /// Scores of the sample that are held at a time: 256 MiB.
  static constexpr std::int64_t kSampleScores = std::int64_t{1} << 26;

  /// Rows in bf16, contiguous, with slots; m above 0.
  DeviceShortlists(const ScanDevice& device, const Rows& rows, const ScannedQueries& queries, std::int64_t m,
                   std::int64_t sample_scores = kSampleScores);

  /// [Q] fp32, what a row must score to be handed out.
  at::Tensor thresholds() const { return thresholds_; }
  /// How many rows may be handed out for each query.
  std::int64_t capacity() const noexcept { return capacity_; }

  struct Best {
    at::Tensor keys;   // [Q, m] ascending, kAfterAllKeys for none
    at::Tensor known;  // [Q] bool, false where rounding or a full list may hide rows; such keys mean nothing
  };
  Best best(const FilteredRows& noted) const;

 private:
  at::Tensor sampled_rows(std::int64_t size) const;
  void find_thresholds(const ScannedQueries& queries, const at::Tensor& sampled, std::int64_t rank,
                       std::int64_t sample_scores);
  at::Tensor keys_of(const FilteredRows& noted, const at::Tensor& bounds) const;

  const ScanDevice& device_;
  const Rows& rows_;
  std::int64_t m_;
  std::int64_t valid_ = 0;
  ScoreBound bound_;
  at::Tensor queries_;         // [Q, d] fp64
  at::Tensor lengths_;         // [Q] fp64, |q|
  at::Tensor rounding_;        // [Q] fp64, |q - q'|
  at::Tensor largest_square_;  // [] fp64, |n|^2 of the longest row
  at::Tensor thresholds_;
  std::int64_t capacity_ = 0;
};

}  // namespace negatron
