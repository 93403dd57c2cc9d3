#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/exclusion_list.h"
#include "samplers/pass/partial_results.h"
#include "samplers/pass/pass.h"
#include "samplers/pass/pass_kernel.h"
#include "samplers/pass/query_panels.h"

namespace negatron {

/// One run of a kernel over all rows and queries. Its tasks are blocks of queries times nodes of the canonical tree: a
/// thread merges the leaves of a node as it goes and holds no more partials than the tree is deep. Local.
class FastRun {
 public:
  /// Rows in `format` and a request of one or two plain terms, both checked and referred to.
  FastRun(const PassKernel& kernel, RowFormat format, const Rows& rows, const PassRequest& request);

  PassResult run();

 private:
  void split(std::int64_t threads);
  std::int64_t blocks() const;
  std::int64_t block_vectors(std::int64_t block) const;
  std::size_t partial_bytes(std::int64_t block) const;
  float* partial(std::int64_t block, std::int64_t node) const;
  void scan_node(std::int64_t block, std::int64_t node) const;
  void scan_leaf(std::int64_t block, const Leaf& leaf, float* partial, float* workspace) const;
  void merge_nodes(std::int64_t block, PartialResults& results) const;

  const PassKernel& kernel_;
  RowFormat format_;
  const PassRequest& request_;
  std::int64_t query_count_;
  at::Tensor vectors_;   // [n, d]
  at::Tensor bias_;      // [n] or undefined
  at::Tensor validity_;  // [n] or undefined
  ExclusionList exclusions_;
  QueryPanels queries_;
  PartialShape shape_;
  std::vector<Leaf> leaves_;  // with a valid row
  std::int64_t block_;        // queries
  int level_ = 0;             // of the nodes
  std::vector<std::span<const Leaf>> nodes_;
  std::int64_t partial_size_ = 0;
  at::Tensor partials_;  // [blocks, nodes, partial_size_]
};

}  // namespace negatron
