#include "samplers/pass/reduction_tree.h"

#include <utility>

namespace negatron {

ReductionTree::ReductionTree(std::vector<ScoreTerm> terms) : terms_(std::move(terms)) {}

void ReductionTree::push(std::int64_t index, PassResult result) {
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
  const PassResult right = std::move(open_.back());
  open_.pop_back();
  open_.back() = merge(terms_, open_.back(), right);
}

}  // namespace negatron
