#pragma once

#include <cstdint>
#include <vector>

#include "launch/flags/flag_table.h"

namespace negatron {

/// Counts of steps, epochs or rows that mean "never" or "all" when nothing is as large; their sums fit 64 bits.
inline constexpr std::int64_t kMostCount = 1'000'000'000'000'000;
/// Steps of an epoch times as many epochs fit 64 bits.
inline constexpr std::int64_t kMostEpochs = 1'000'000'000;
/// Samples of a step: a batch of views has a number of bytes that fits 64 bits.
inline constexpr std::int64_t kMostBatch = std::int64_t{1} << 24;
/// Threads of one process.
inline constexpr std::int64_t kMostThreads = 4096;
/// Ranks of a job.
inline constexpr std::int64_t kMostJobRanks = std::int64_t{1} << 24;
/// Rows of a bank (samplers/bank/bank.h).
inline constexpr std::int64_t kMostBankRows = (std::int64_t{1} << 32) - 1;
/// Width of a layer.
inline constexpr std::int64_t kMostWidth = std::int64_t{1} << 16;
/// Pixels of a side.
inline constexpr std::int64_t kMostSide = std::int64_t{1} << 14;
/// Divides scores, whose quotients stay within fp32; and the largest that does.
inline constexpr double kLeastTemperature = 1e-6;
inline constexpr double kMostTemperature = 1e6;
/// Of learning rates: times any batch and any weight decay they stay within fp32.
inline constexpr double kMostRate = 1e30;

/// A field that holds a number from `least` to `most`, both included; what does not lie there is refused in a sentence
/// that names the flag and both. Every flag that is a number has such a range, so that no value is met first where a
/// narrower type overflows. `field` outlives what is returned. Local.
TypedField within(std::int64_t* field, std::int64_t least, std::int64_t most);
TypedField within(double* field, double least, double most);
/// Numbers between commas, each of them within the range.
TypedField within(std::vector<std::int64_t>* field, std::int64_t least, std::int64_t most);
/// Any number of 64 bits.
TypedField seed_field(std::uint64_t* field);

/// The shortest text that reads back to the same double.
std::string shortest_text(double value);

}  // namespace negatron
