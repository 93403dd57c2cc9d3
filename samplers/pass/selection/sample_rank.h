#pragma once

#include <cstdint>

namespace negatron {

// From the scores of a sample of rows, a score that the m best of all rows nearly certainly reach and few others do
// (samplers/pass/FORMULAS.md 9). `valid` rows may score. Local.

/// How many rows to sample; 0 when m is so many of them, or they are so few, that a sample saves nothing.
std::int64_t sample_size(std::int64_t m, std::int64_t valid);
/// The rank in a sample of `sampled` rows below which the m-th best row nearly certainly lies.
std::int64_t rank_in_sample(std::int64_t m, std::int64_t sampled, std::int64_t valid);
/// By how much further, from one run of rows to the next, the place lies from which a sample takes rows there: rows
/// that lie together are often alike, and so may be those at equal distances. Any odd number serves.
inline constexpr std::int64_t kSampleStep = 389;
/// Room for the rows that score as high as that rank, as a rule.
std::int64_t list_capacity(std::int64_t m, std::int64_t sampled, std::int64_t valid);

}  // namespace negatron
