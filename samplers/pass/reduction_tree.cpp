#include "samplers/pass/reduction_tree.h"

#include <bit>
#include <stdexcept>
#include <utility>

namespace negatron {

int common_level(std::int64_t left, std::int64_t right) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(left) ^ static_cast<std::uint64_t>(right)));
}

ReductionTree::ReductionTree(std::vector<ScoreTerm> terms) : terms_(std::move(terms)) {}

void ReductionTree::push(std::int64_t index, PassResult result) {
  if (!open_.empty()) {
    if (index <= open_.back().first_leaf) {
      throw std::invalid_argument("ReductionTree: leaves must be pushed in ascending order");
    }
    // Open nodes that meet each other below the level at which they meet the new leaf are complete.
    const int level = common_level(open_.back().first_leaf, index);
    while (open_.size() > 1 && common_level(open_[open_.size() - 2].first_leaf, open_.back().first_leaf) < level) {
      merge_last_two();
    }
  }
  open_.push_back({index, std::move(result)});
}

std::optional<PassResult> ReductionTree::finish() {
  if (open_.empty()) return std::nullopt;
  while (open_.size() > 1) merge_last_two();
  PassResult root = std::move(open_.front().result);
  open_.clear();
  return root;
}

void ReductionTree::merge_last_two() {
  const PassResult right = std::move(open_.back().result);
  open_.pop_back();
  open_.back().result = merge(terms_, open_.back().result, right);
}

}  // namespace negatron
