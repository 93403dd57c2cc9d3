#include "samplers/pass/cpu/partial_tree.h"

#include <stdexcept>

#include "samplers/pass/reduction_tree.h"

namespace negatron {

std::int64_t PartialTree::depth(std::int64_t first, std::int64_t last) {
  // Open nodes meet at levels that fall strictly, and the last leaf is one more.
  return common_level(first, last) + 1;
}

PartialTree::PartialTree(const PassKernel& kernel, const PartialShape& shape, std::int64_t query_vectors, float* memory,
                         std::int64_t partial_size)
    : kernel_(kernel), shape_(shape), query_vectors_(query_vectors), memory_(memory), partial_size_(partial_size) {}

float* PartialTree::next(std::int64_t index) {
  if (!first_leaves_.empty()) {
    if (index <= first_leaves_.back()) throw std::invalid_argument("PartialTree: leaves must come in ascending order");
    const int level = common_level(first_leaves_.back(), index);
    while (first_leaves_.size() > 1 &&
           common_level(first_leaves_[first_leaves_.size() - 2], first_leaves_.back()) < level) {
      merge_last_two();
    }
  }
  first_leaves_.push_back(index);
  return memory_ + static_cast<std::int64_t>(first_leaves_.size() - 1) * partial_size_;
}

const float* PartialTree::finish() {
  while (first_leaves_.size() > 1) merge_last_two();
  first_leaves_.clear();
  return memory_;
}

void PartialTree::merge_last_two() {
  float* right = memory_ + static_cast<std::int64_t>(first_leaves_.size() - 1) * partial_size_;
  kernel_.merge(shape_, query_vectors_, right - partial_size_, right);
  first_leaves_.pop_back();
}

}  // namespace negatron
