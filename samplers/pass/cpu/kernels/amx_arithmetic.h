#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/amx_product.h"
#include "samplers/pass/cpu/kernels/amx_rows.h"
#include "samplers/pass/cpu/kernels/leaf_scan.h"
#include "samplers/pass/cpu/kernels/pair_arithmetic.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Products of pairs of bf16 in tiles: AmxTiles, or what a test has in its place. Queries and rows are padded with
/// zeros to whole tiles, so that all tiles have one shape.
///
/// Numbers below the normal ones are 0, as in PairArithmetic; only the order of sums differs. A score of d numbers is
/// rounded no more often than d times, as score_bound.h counts: 32 products meet in two sums of 16, of which the first
/// is exact, those two, and what was there.
///
/// Of its own because a library's product of matrices would write all scores to memory, where a scan consumes them in
/// the first-level cache. It was written where no processor has AMX: its results are tested on emulated tiles and tried
/// once a process where tiles are real (amx_trial.h), its speed was never measured.
template <class Tiles>
struct AmxArithmetic : PairArithmetic {
  static_assert(V::kLanes == kTileSide);
  static constexpr int kRowsAStep = kTileHalves;

  static std::int64_t words(std::int64_t width) { return padded(width, kTileHalves) / 2; }
  template <int kVectors, bool kAdd>
  static void multiply(std::int64_t rows, Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
    multiply_in_tiles<Tiles, kVectors, kAdd>(rows, scalars, panel, depth, sums);
  }
  static std::int64_t tile_rows_size(std::int64_t width) { return amx_rows_size(width); }
  static TileRows tile_rows(const LeafScan& leaf, std::int64_t begin, std::int64_t count, float* workspace) {
    return amx_tile_rows(leaf, begin, count, workspace);
  }
};

template <class Tiles>
PassKernel make_amx_kernel() {
  PassKernel kernel = make_pass_kernel<AmxArithmetic<Tiles>>();
  kernel.scan = [](const LeafScan& leaf) {
    Tiles::configure();
    Scan<AmxArithmetic<Tiles>>(leaf).run();
    Tiles::release();
  };
  return kernel;
}

}  // namespace
}  // namespace negatron
