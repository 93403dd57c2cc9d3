#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "samplers/pass/pass.h"

namespace negatron {

/// The level of the smallest node of the canonical tree (see ReductionTree) that covers both leaves.
int common_level(std::int64_t left, std::int64_t right);

/// Merges the results of leaves in the canonical tree (algorithms.md 1.9): the binary tree over leaf indices in which a
/// node of level k covers the 2^k leaves [b 2^k, (b+1) 2^k). Leaves that were never pushed count as empty. Holds one
/// result a level. Local.
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
  /// A merged run of leaves; which leaf of it stands for its place does not matter, the first is kept.
  struct Node {
    std::int64_t first_leaf = 0;
    PassResult result;
  };
  void merge_last_two();

  std::vector<ScoreTerm> terms_;
  std::vector<Node> open_;
};

}  // namespace negatron
