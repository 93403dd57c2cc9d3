#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/cpu/near_rows_search.h"
#include "samplers/pass/cpu/partial_results.h"
#include "samplers/pass/cpu/query_panels.h"
#include "samplers/pass/exclusion_list.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// One run of a kernel over all rows and queries. Its tasks are blocks of queries times nodes of the canonical tree: a
/// thread merges the leaves of a node as it goes and holds no more partials than the tree is deep. Where best rows are
/// wanted, the same scan notes those that may be among them. Local.
class FastRun {
 public:
  /// `rows` are in `format`; `request` has up to two plain terms. Both are checked already, and referred to.
  FastRun(const PassKernel& kernel, RowFormat format, const Rows& rows, const PassRequest& request);

  PassResult run();
  /// [any] int64, the queries whose best rows the scan left open; their rows of PassResult::best are not set.
  const at::Tensor& open_queries() const noexcept { return open_queries_; }

 private:
  void divide(std::int64_t threads);
  std::int64_t blocks() const;
  std::int64_t block_vectors(std::int64_t block) const;
  std::int64_t groups() const;
  std::int64_t group_vectors(std::int64_t group) const;
  std::int64_t partial_numbers(std::int64_t vectors) const;
  float* partial(std::int64_t block, std::int64_t node) const;
  void take_sample();
  void sample_group(std::int64_t group);
  void scan_node(std::int64_t block, std::int64_t node);
  /// Scans some rows of a leaf for the queries from `first_query` on; all else that is read and written is in `scan`.
  void scan_rows(std::int64_t first_query, const Leaf& leaf, Range rows, LeafScan scan) const;
  Range queries_of(std::int64_t first, std::int64_t vectors) const;
  void merge_group(std::int64_t group, PartialResults& results) const;

  const PassKernel& kernel_;
  RowFormat format_;
  const PassRequest& request_;
  std::int64_t query_count_;
  at::Tensor query_vectors_;  // [Q, d]
  at::Tensor vectors_;        // [n, d]
  at::Tensor bias_;           // [n] or undefined
  at::Tensor validity_;       // [n] or undefined
  ExclusionList exclusions_;
  QueryPanels panels_;
  PartialShape shape_;
  std::vector<Leaf> leaves_;  // with a valid row
  std::int64_t valid_ = 0;
  std::optional<NearRowsSearch> near_rows_;
  at::Tensor open_queries_;
  std::int64_t block_;  // queries
  int level_ = 0;       // of the nodes
  std::vector<std::span<const Leaf>> nodes_;
  std::int64_t capacity_ = 0;  // of a list of near rows
  std::int64_t partial_size_ = 0;
  at::Tensor partials_;  // [blocks, nodes, partial_size_]
};

}  // namespace negatron
