#pragma once

#include <cstdint>
#include <vector>

#include "samplers/bank/bank_copy.h"

namespace negatron {

/// Two rows are the same when id, step and every bit of the vector are.
struct RowDigest {
  /// XXH3-128 of id, step and vector.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  /// XXH3-64 of id and step; 0 for a row without an id, which is told by its vector alone.
  std::uint64_t key = 0;
};

/// [m], of a block's rows, whose vectors are contiguous on the host. Local.
std::vector<RowDigest> digest_rows(const BankBlock& block);

/// Digests do not fit into memory for banks of any size, so they are compared in passes, each over the rows of one
/// part: equal rows, and rows of equal id and step, fall into the same part.
inline std::uint64_t part_of(const RowDigest& digest, std::uint64_t parts) {
  return (digest.key != 0 ? digest.key : digest.low) % parts;
}

}  // namespace negatron
