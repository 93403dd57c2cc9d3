#include "samplers/pass/cpu/partial_tree.h"

namespace negatron {

std::int64_t PartialTree::depth(std::int64_t first, std::int64_t last) {
  // As many nodes as can be open at once (CanonicalTree::open()): memory for them is taken before the first leaf.
  return common_level(first, last) + 1;
}

PartialTree::PartialTree(const PassKernel& kernel, const PartialShape& shape, std::int64_t query_vectors, float* memory,
                         std::int64_t partial_size)
    : kernel_(kernel), shape_(shape), query_vectors_(query_vectors), memory_(memory), partial_size_(partial_size) {}

float* PartialTree::next(std::int64_t index) {
  // Nodes that this leaf completes are merged first, so the place on top that is returned is free, and what it held
  // before does not matter: the scan writes all of it.
  tree_.push(index, [this] { merge_last_two(); });
  return memory_ + static_cast<std::int64_t>(tree_.open() - 1) * partial_size_;
}

const float* PartialTree::finish() {
  tree_.finish([this] { merge_last_two(); });
  return memory_;
}

void PartialTree::merge_last_two() {
  // The left node becomes the merged one, in place; the right one's place is free afterwards.
  float* right = memory_ + static_cast<std::int64_t>(tree_.open() - 1) * partial_size_;
  kernel_.merge(shape_, query_vectors_, right - partial_size_, right);
}

}  // namespace negatron
