#pragma once

#include <cstdint>
#include <vector>

#include "comm/share.h"
#include "samplers/bank/rows.h"

namespace negatron {

/// The most rows that a leaf is meant to hold. Leaves hold whole offsets where they can, so some hold a little more.
inline constexpr std::int64_t kLeafRows = 1024;

/// Cuts a grid of `height` offsets (positions inside the global batch) times `columns` batches, stored offset-major,
/// into the leaves of the canonical reduction tree and returns those of the rank that owns `offsets`, in its local rows
/// (row = (offset - offsets.begin) * columns + column), all counted as valid. Local arithmetic.
///
/// The number of leaves is a power of two L that depends on the grid only; leaf i covers the offsets
/// [i * height / L, (i+1) * height / L), rounded down. A grid with more than kLeafRows columns cuts every offset into a
/// power of two of column runs by the same rule. So when the number of ranks is a power of two that divides `height`,
/// rank boundaries fall on leaf boundaries and each rank owns one whole subtree; any other rank boundary cuts a leaf,
/// and both ranks keep their piece under the leaf's index.
///
/// Example: 8 offsets, 512 columns, 4 leaves of 2 offsets. Rank 1 of 2 owns offsets [4, 8), hence leaves 2 and 3 at its
/// rows [0, 1024) and [1024, 2048). Rank 1 of 3 owns offsets [3, 6), hence the second half of leaf 1 and leaf 2.
std::vector<Leaf> canonical_leaves(std::int64_t height, std::int64_t columns, Range offsets);

}  // namespace negatron
