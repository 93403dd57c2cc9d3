#pragma once

#include <cstdint>

#include "samplers/pass/cuda/bank_scan.h"
#include "samplers/pass/selection/host_device.h"

namespace negatron {

/// How a thread block of BankScan divides its work. A warp owns tiles of 16 queries, the height of a product of the
/// tensor cores, with all their sums in registers.
template <int kColumns, int kTermCount>
struct ScanShape {
  static constexpr int kWidth = kColumns;  // d, padded with zeros
  static constexpr int kTerms = kTermCount;
  static constexpr int kWarps = 4;
  static constexpr int kThreads = 32 * kWarps;
  /// Two tiles of queries a warp read the rows from shared memory half as often, where a thread has the registers.
  static constexpr int kQueryTiles = kTerms == 1 && kWidth <= 128 ? 2 : 1;
  static constexpr int kWarpQueries = 16 * kQueryTiles;
  static constexpr int kQueries = kWarps * kWarpQueries;
  static constexpr int kColumnTiles = kWidth / 8;
  static constexpr int kRowTiles = kScanChunkRows / 8;

  static constexpr int kQueryNumbers = kQueries * kWidth;  // of one part
  static constexpr int kTileNumbers = kScanTileRows * kWidth;
  /// The queries, and two tiles of rows: one is worked on while the other is on its way.
  static constexpr int shared_bytes(int parts) { return 2 * (parts * kQueryNumbers + 2 * kTileNumbers); }
};

NEGATRON_HOST_DEVICE std::int32_t tile_count(const BankScan& scan) {
  return (scan.row_count + kScanTileRows - 1) / kScanTileRows;
}

/// Calls `call(ScanShape<...>())` with the shape for rows of `width` numbers; false when there is none.
template <class Call>
bool with_scan_shape(std::int64_t width, int terms, const Call& call) {
  if (width < 8 || width % 8 != 0 || terms < 1 || terms > kMostScanTerms) return false;
  const bool one = terms == 1;
  if (width <= 64) {
    one ? call(ScanShape<64, 1>()) : call(ScanShape<64, 2>());
  } else if (width <= 128) {
    one ? call(ScanShape<128, 1>()) : call(ScanShape<128, 2>());
  } else if (width <= 256 && one) {
    call(ScanShape<256, 1>());
  } else {
    return false;
  }
  return true;
}

/// Where number `column`, a multiple of 8, of `row` lies in a tile [.][kWidth] in shared memory. 16 bytes each of 8
/// consecutive rows, which the tensor cores' loads read at once, lie in different banks. With k a multiple of 16,
/// swizzled(row, 0 or 8) ^ k is the place k columns on.
template <class Shape>
NEGATRON_HOST_DEVICE int swizzled(int row, int column) {
  return row * Shape::kWidth + (column ^ (row % 8 * 8));
}

}  // namespace negatron
