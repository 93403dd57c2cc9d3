#pragma once

#include <filesystem>
#include <random>

namespace negatron::testing {

/// Writes one of a snapshot's bank files anew, whole by its digest: with numbers that no run makes, as one of another
/// bank (another width, type, kind or shard), or both. Local; depends on `random` alone.
void write_odd_shard(const std::filesystem::path& snapshot, std::mt19937& random);

}  // namespace negatron::testing
