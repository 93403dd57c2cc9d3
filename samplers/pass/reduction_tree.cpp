#include "samplers/pass/reduction_tree.h"

#include <bit>
#include <limits>
#include <stdexcept>
#include <utility>

namespace negatron {

Partial merge(const Partial& left, const Partial& right) {
  const at::Tensor peak = at::maximum(left.log_sum_exp, right.log_sum_exp);
  // Where both are empty the peak is -infinity and a difference with it would be NaN.
  const at::Tensor shift = peak.masked_fill(peak == -std::numeric_limits<double>::infinity(), 0.0);
  const at::Tensor left_mass = (left.log_sum_exp - shift).exp();
  const at::Tensor right_mass = (right.log_sum_exp - shift).exp();
  const at::Tensor mass = left_mass + right_mass;
  const at::Tensor divisor = mass.masked_fill(mass == 0.0, 1.0);
  at::Tensor mean = left.mean * (left_mass / divisor).unsqueeze(-1);
  mean += right.mean * (right_mass / divisor).unsqueeze(-1);
  return {shift + mass.log(), mean};
}

namespace {

/// The level of the smallest node that covers both leaves.
int common_level(std::int64_t left, std::int64_t right) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(left) ^ static_cast<std::uint64_t>(right)));
}

}  // namespace

void ReductionTree::push(std::int64_t index, Partial partial) {
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
  open_.push_back({index, std::move(partial)});
}

std::optional<Partial> ReductionTree::finish() {
  if (open_.empty()) return std::nullopt;
  while (open_.size() > 1) merge_last_two();
  Partial root = std::move(open_.front().partial);
  open_.clear();
  return root;
}

void ReductionTree::merge_last_two() {
  const Partial right = std::move(open_.back().partial);
  open_.pop_back();
  open_.back().partial = merge(open_.back().partial, right);
}

}  // namespace negatron
