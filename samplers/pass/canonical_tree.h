#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace negatron {

/// The level of the smallest node of the canonical tree that covers both leaves.
inline int common_level(std::int64_t left, std::int64_t right) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(left) ^ static_cast<std::uint64_t>(right)));
}

/// When to merge what, while leaves come in ascending order: the canonical tree (FORMULAS.md 2) is the binary tree
/// over leaf indices in which a node of level k covers the 2^k leaves [b 2^k, (b+1) 2^k). Leaves that never come count
/// as empty. It knows places only: the owner keeps the results of the open nodes on a stack, and merges the last two
/// when it is told. Local.
class CanonicalTree {
 public:
  /// Opens the node of leaf `index`, after merge() for each two open nodes that this leaf completes, so that the owner
  /// then puts its result on top. Throws std::invalid_argument unless indices ascend.
  template <class Merge>
  void push(std::int64_t index, const Merge& merge) {
    if (!open_.empty()) {
      if (index <= open_.back()) throw std::invalid_argument("canonical tree: leaves must come in ascending order");
      // Open nodes that meet each other below the level at which they meet the new leaf are complete.
      const int level = common_level(open_.back(), index);
      while (open_.size() > 1 && common_level(open_[open_.size() - 2], open_.back()) < level) merge_last_two(merge);
    }
    open_.push_back(index);
  }
  /// merge() until one open node, the root, is left, if there was any; then ends the tree.
  template <class Merge>
  void finish(const Merge& merge) {
    while (open_.size() > 1) merge_last_two(merge);
    open_.clear();
  }
  /// How many nodes are open. At most common_level() of the first and the last leaf, and one more: open nodes meet at
  /// levels that fall strictly.
  std::size_t open() const noexcept { return open_.size(); }

 private:
  template <class Merge>
  void merge_last_two(const Merge& merge) {
    merge();
    open_.pop_back();
  }

  /// A leaf of each open node, by which its place is known: the first that came.
  std::vector<std::int64_t> open_;
};

}  // namespace negatron
