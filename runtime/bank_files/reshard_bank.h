#pragma once

#include <filesystem>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// Writes the same snapshot, all `banks` of it and the trainer's state, laid out over `ranks` ranks: every key keeps
/// its sequence number, and so its slot. Reads a queue once for each file of the result, rows that stay once in all.
/// Local. Throws std::invalid_argument for a number of ranks outside [1, kMostRanks] and as write_bank.
Manifest reshard_banks(FileLayer& files, const std::vector<OpenBank>& banks, const std::filesystem::path& out,
                       std::int64_t ranks, BankMemory memory);

/// What five digits of a file name can count.
inline constexpr std::int64_t kMostRanks = 99999;
/// `ranks` as an int. Throws std::invalid_argument that names --ranks.
int checked_ranks(std::int64_t ranks);

}  // namespace negatron
