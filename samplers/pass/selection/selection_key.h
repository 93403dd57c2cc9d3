#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/pass/selection/packed_key.h"
#include "samplers/random/philox.h"

namespace negatron {

/// The order in which a query ranks rows. Every order is total and the same on any number of ranks: orders of scores
/// compare scores that were computed in fp64 and rounded to fp32, so that the shape of a matrix product, which depends
/// on the number of ranks, does not show; ties go to the lower slot (samplers/pass/FORMULAS.md 6).
struct SelectionOrder {
  enum class By {
    kScore,          ///< largest q . n first, times Rows::order_factors where there are any
    kPositiveScore,  ///< largest k+ . n first
    kRandom,         ///< a random permutation, smallest number first (its score is minus the number): the first m rows
                     ///< are m draws without replacement, all rows alike
    kGumbel          ///< largest scale * q . n + g, g standard Gumbel: the first m rows are m draws without replacement
                     ///< from softmax(scale * q . n) (samplers/pass/FORMULAS.md 7)
  };
  By by = By::kScore;
  double scale = 1.0;
  /// What the random orders draw from. The number of a row depends on (seed, purpose, step, query, slot) and on nothing
  /// else.
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::kNegativeDraw;
  std::int64_t step = 0;

  friend bool operator==(const SelectionOrder&, const SelectionOrder&) = default;
};

/// scores (any floating dtype, rounded to fp32), slots int64, broadcast against each other -> keys int64. Local.
at::Tensor selection_keys(const at::Tensor& scores, const at::Tensor& slots);
/// The fp32 scores and the int64 slots of keys; of kAfterAllKeys -infinity and -1. Local.
at::Tensor scores_of_keys(const at::Tensor& keys);
at::Tensor slots_of_keys(const at::Tensor& keys);
/// The smallest key that a row of this score, or of any lower score, can have. `scores` [...] -> int64 [...]. Local.
at::Tensor first_key_at(const at::Tensor& scores);
at::Tensor first_key_below(const at::Tensor& scores);

/// Uniform random numbers in [0, 1) with 32 bits, fp64, one for each query and slot: query_index [Q] int64 (positions
/// in the global batch), slots [n] int64, on the device of the slots -> [Q, n]. A function of (seed, purpose, step,
/// query, slot): the number next_u32() that CounterRng(seed, purpose, step, query) yields after `slot` others. Computed
/// on the host. Throws std::invalid_argument when the step is negative or needs more than 32 bits. Local.
at::Tensor slot_uniforms(const SelectionOrder& order, const at::Tensor& query_index, const at::Tensor& slots);
/// The standard Gumbel number of each of these, elementwise. Local.
at::Tensor gumbels_of(const at::Tensor& uniforms);

}  // namespace negatron
