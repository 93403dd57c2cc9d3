#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// Static distributions over slots by how often their items occur, for draws with draw_weighted_slots
/// (SAMPLERS.md 17). counts [K], at least 0, one above 0 -> probabilities [K] fp64 that sum to 1. Throw
/// std::invalid_argument otherwise. Local.

/// In proportion to count^exponent; word2vec takes 0.75. A count of 0 is never drawn.
at::Tensor unigram_probabilities(const at::Tensor& counts, double exponent);

/// In proportion to exp(-rank / lambda), rank 1 being the most frequent, equal counts in slot order: static PNS.
at::Tensor popularity_rank_probabilities(const at::Tensor& counts, double lambda);

}  // namespace negatron
