#include "samplers/pass/reduction_tree.h"

#include <utility>

namespace negatron {

ReductionTree::ReductionTree(std::vector<ScoreTerm> terms) : terms_(std::move(terms)) {}

void ReductionTree::push(std::int64_t index, PassResult result) {
  // Nodes that this leaf completes are merged before it is put on top: `open_` and the tree's own stack keep the same
  // length. With leaves 0, 1, 2 the third push merges 0 and 1 first.
  tree_.push(index, [this] { merge_last_two(); });
  open_.push_back(std::move(result));
}

std::optional<PassResult> ReductionTree::finish() {
  if (open_.empty()) return std::nullopt;
  tree_.finish([this] { merge_last_two(); });
  PassResult root = std::move(open_.front());
  open_.clear();
  return root;
}

void ReductionTree::merge_last_two() {
  // Left is always the node of lower indices: merge() scales one side and adds the other in one operation, so rounding
  // may tell the two apart.
  const PassResult right = std::move(open_.back());
  open_.pop_back();
  open_.back() = merge(terms_, open_.back(), right);
}

}  // namespace negatron
