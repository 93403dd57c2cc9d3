#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "samplers/pass/canonical_tree.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// Merges the results of leaves in the canonical tree (canonical_tree.h), at most one result a level at a time. Local.
///
/// Because nodes lie at multiples of their size, a rank that owns the leaves [2^k b, 2^k (b+1)) computes exactly one
/// node, and merging the ranks' results in a tree of the same shape gives the root that one rank alone would compute.
/// Worked example, 8 leaves on 2 ranks: rank 0 gets ((0 1)(2 3)), rank 1 gets ((4 5)(6 7)), and the owner merges the
/// two, as one rank would: (((0 1)(2 3))((4 5)(6 7))). On 3 ranks that hold 0..2, 3..5 and 6..7, rank 1 gets (3 (4 5)):
/// the same sum in another order, so the result differs by rounding.
class ReductionTree {
 public:
  /// `terms` are those of the results, in their order.
  explicit ReductionTree(std::vector<ScoreTerm> terms);

  /// Indices must ascend, else throws std::invalid_argument.
  void push(std::int64_t index, PassResult result);
  /// The root; nothing when nothing was pushed. Ends the tree.
  std::optional<PassResult> finish();

 private:
  void merge_last_two();

  std::vector<ScoreTerm> terms_;
  CanonicalTree tree_;
  std::vector<PassResult> open_;  // of the open nodes
};

}  // namespace negatron
