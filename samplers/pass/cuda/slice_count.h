#pragma once

#include <cstdint>

namespace negatron {

/// Into how many slices, of equally many tiles as far as that goes, to cut `tiles` tiles of rows, so that `blocks`
/// blocks of queries keep a device busy that runs `concurrent` thread blocks at a time: the fewest of those that take
/// the least time, counted in tiles one after the other. All at least 1.
std::int32_t slice_count(std::int64_t tiles, std::int64_t blocks, std::int64_t concurrent);

}  // namespace negatron
