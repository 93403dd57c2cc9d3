#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "samplers/bank/rows.h"
#include "samplers/pass/cpu/exact_lists.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/cpu/near_lists.h"
#include "samplers/pass/cpu/query_panels.h"
#include "samplers/pass/selection/score_bound.h"

namespace negatron {

/// The rows of a search, as kernels read them.
struct SearchedRows {
  RowFormat format = RowFormat::kFp32;
  at::Tensor vectors;      // [n, d] contiguous
  at::Tensor slots;        // [n] int64
  std::int64_t valid = 0;  // how many of them may score
};

/// The m best rows of each query by exact score, out of the rows that scans note by a kernel's. A sample says above
/// which score rows are worth a note (samplers/pass/FORMULAS.md 8 and 9). A kernel's score is off by at most the e of
/// score_bound.h; so of t, the m-th best score that was noted, all of the m best have scores of at least t - 2 e, and
/// when the threshold was below that, nothing is missed. Those rows are scored in fp64. Local.
class NearRowsSearch {
 public:
  /// `queries` [Q, d] fp32, contiguous; `panels` are what the kernel reads for them.
  NearRowsSearch(const PassKernel& kernel, SearchedRows rows, const at::Tensor& queries, const QueryPanels& panels,
                 std::int64_t m);

  /// How many rows to sample; 0 when so many are wanted that every row is noted.
  std::int64_t sample_size() const noexcept { return sample_; }
  /// Sets the thresholds of a group of queries from their scores with the sample [rows][g], NaN for none, and the
  /// largest |n|^2 there. From any thread, each query once.
  void set_thresholds(Range queries, const float* scores, std::int64_t rows, float largest_square);
  /// The scores above which rows are worth a note, of the queries from `first` on; infinite for those that only pad.
  const float* thresholds(std::int64_t first) const { return thresholds_.data() + first; }
  /// Room for what a scan of so many rows notes, as a rule.
  std::int64_t capacity(std::int64_t rows, std::int64_t largest_leaf) const;

  /// Takes what scan `task` of `tasks` noted. From any thread.
  void reserve(std::int64_t tasks) { found_.resize(static_cast<std::size_t>(tasks)); }
  void keep(std::int64_t task, Range queries, const NearLists& lists, float largest_square);

  struct Best {
    at::Tensor keys;  // [Q, m] ascending, kAfterAllKeys for none
    /// [any] int64, the queries whose rows rounding or lists without room may hide; their keys mean nothing.
    at::Tensor unknown;
  };
  Best best() const;

 private:
  struct Found {
    Range queries;
    float largest_square = 0.0f;
    std::vector<bool> stopped;       // [queries]
    std::vector<std::int64_t> ends;  // [queries], in what follows
    std::vector<NearRow> rows;

    /// The rows noted for a query; none where it is not one of these.
    std::span<const NearRow> rows_of(std::int64_t query) const;
  };
  /// The e of a query's scores, and what none of them exceeds (score_bound.h).
  double slack(std::int64_t query, double largest_square) const;
  double limit(std::int64_t query, double largest_square) const;
  /// The rows that may be among the best of a query, ascending; false when others may.
  bool find_near(std::int64_t query, double largest_square, std::vector<std::int32_t>& near) const;
  /// Sorts the keys, and copies the first of them; kAfterAllKeys where there are fewer.
  void write_best(std::vector<std::int64_t>& keys, std::int64_t* best) const;

  const PassKernel& kernel_;
  SearchedRows rows_;
  at::Tensor queries_;  // fp64
  std::int64_t m_;
  std::int64_t sample_;
  std::vector<double> lengths_;   // [Q] |q|
  std::vector<double> rounding_;  // [Q] |q - q'|
  ScoreBound bound_;
  std::vector<float> thresholds_;
  std::vector<Found> found_;
};

}  // namespace negatron
