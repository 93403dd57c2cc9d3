#include "tests/samplers/pass/cpu/amx/emulated_tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace negatron::testing {
namespace {

[[noreturn]] void refuse(const char* what) {
  fprintf(stderr, "A processor with AMX would stop here: %s.\n", what);
  abort();
}

/// What is below the normal numbers counts as 0.
float flushed(float number) {
  constexpr float kLeastNormal = 0x1p-126f;
  return __builtin_fabsf(number) < kLeastNormal ? __builtin_copysignf(0.0f, number) : number;
}

float first_of(std::uint32_t pair) {
  return flushed(__builtin_bit_cast(float, pair << 16));
}
float second_of(std::uint32_t pair) {
  return flushed(__builtin_bit_cast(float, pair & 0xffff0000u));
}

}  // namespace

EmulatedTiles& EmulatedTiles::of_this_thread() {
  thread_local EmulatedTiles tiles;
  return tiles;
}

void EmulatedTiles::configure(const void* shapes) {
  constexpr int kRowBytesAt = 16, kRowsAt = 48, kSize = 64, kPlaces = 16;
  unsigned char bytes[kSize];
  memcpy(bytes, shapes, kSize);
  if (bytes[0] != 1) refuse("a palette that is not 1");
  for (int i = 1; i < kRowBytesAt; ++i) {
    if (bytes[i] != 0) refuse("shapes with a start row, or bytes that are reserved");
  }
  for (int tile = 0; tile < kPlaces; ++tile) {
    const int row_bytes = bytes[kRowBytesAt + 2 * tile] | bytes[kRowBytesAt + 2 * tile + 1] << 8;
    const bool present = tile < kTiles;
    if (row_bytes != (present ? kWords * 4 : 0) || bytes[kRowsAt + tile] != (present ? kRows : 0)) {
      refuse("shapes other than 16 rows of 64 bytes for tiles 0 to 7");
    }
  }
  configured_ = true;
  memset(tiles_, 0, sizeof(tiles_));
}

std::uint32_t (&EmulatedTiles::words(int tile))[kRows][kWords] {
  if (!configured_) refuse("tiles without shapes");
  if (tile < 0 || tile >= kTiles) refuse("a tile that is none of 0 to 7");
  return tiles_[tile];
}

void EmulatedTiles::zero(int tile) {
  memset(words(tile), 0, sizeof(tiles_[0]));
}

void EmulatedTiles::load(int tile, const void* from, std::int64_t stride) {
  for (int row = 0; row < kRows; ++row) {
    memcpy(words(tile)[row], static_cast<const char*>(from) + row * stride, sizeof(tiles_[0][0]));
  }
}

void EmulatedTiles::store(int tile, void* to, std::int64_t stride) {
  for (int row = 0; row < kRows; ++row) {
    memcpy(static_cast<char*>(to) + row * stride, words(tile)[row], sizeof(tiles_[0][0]));
  }
}

void EmulatedTiles::multiply_add(int sum, int rows, int columns) {
  if (sum == rows || sum == columns || rows == columns) refuse("a product of tiles that are not three");
  for (int m = 0; m < kRows; ++m) {
    float first[kWords] = {}, second[kWords] = {};
    for (int k = 0; k < kWords; ++k) {
      const std::uint32_t row_pair = words(rows)[m][k];
      for (int n = 0; n < kWords; ++n) {
        const std::uint32_t column_pair = tiles_[columns][k][n];
        first[n] = flushed(__builtin_fmaf(first_of(row_pair), first_of(column_pair), first[n]));
        second[n] = flushed(__builtin_fmaf(second_of(row_pair), second_of(column_pair), second[n]));
      }
    }
    for (int n = 0; n < kWords; ++n) {
      const float both = flushed(first[n] + second[n]);
      const float old = flushed(__builtin_bit_cast(float, words(sum)[m][n]));
      tiles_[sum][m][n] = __builtin_bit_cast(std::uint32_t, flushed(old + both));
    }
  }
}

}  // namespace negatron::testing
