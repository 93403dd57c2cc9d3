#pragma once

#include <cstdint>

#include "samplers/pass/cuda/scan_shape.h"

namespace negatron {

/// Begins to copy [count, width] numbers from `from` into a tile [kRows][kWidth] in shared memory, 16 bytes a thread at
/// a time; zeros beside and below them. By all threads of a block.
template <class Shape, int kRows, class Thread>
NEGATRON_HOST_DEVICE void copy_tile(const Thread& thread, const std::uint16_t* from, int count, int width,
                                    std::uint16_t* tile) {
  constexpr int kPieces = Shape::kWidth / 8;
  static_assert(kRows * kPieces % Shape::kThreads == 0);
  NEGATRON_UNROLL_BY(1)
  for (int i = 0; i < kRows * kPieces / Shape::kThreads; ++i) {
    const int piece = i * Shape::kThreads + thread.index();
    const int row = piece / kPieces;
    const int column = piece % kPieces * 8;
    const bool present = row < count && column < width;
    thread.copy(tile + swizzled<Shape>(row, column), present ? from + row * width + column : from, present);
  }
}

}  // namespace negatron
