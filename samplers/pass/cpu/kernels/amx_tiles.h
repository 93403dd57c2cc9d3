#pragma once

#include <cstdint>

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// The tile registers of AMX (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18):
/// eight, each 16 rows of 64 bytes, which are 16 fp32 or 16 pairs of bf16. Of a thread, between configure() and
/// release().
///
/// Instructions by name, as the compilers' intrinsics want the number of a tile as a token and not as a constant, and
/// those of gcc 12 do not say that they read memory.
struct AmxTiles {
  /// What LDTILECFG reads: the bytes of a row and the rows, of tiles 0 to 7 of 16.
  struct Shapes {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static_assert(sizeof(Shapes) == 64);

  static void configure() {
    static constexpr Shapes kShapes;
    asm volatile("ldtilecfg %0" : : "m"(kShapes));
  }
  static void release() { asm volatile("tilerelease"); }

  template <int kTile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  /// 16 rows, `stride` bytes from row to row.
  template <int kTile>
  static void load(const void* from, std::int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(void* to, std::int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  /// sum [16][16] fp32 += rows [16][16 pairs] . columns [16 pairs][16]. Of 32 products those of first and those of
  /// second numbers of pairs are summed apart, in order; then both, and that is added. Every step rounds to nearest,
  /// and what is below the normal numbers is 0 before and after.
  template <int kSum, int kRows, int kColumns>
  static void multiply_add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kRows), "i"(kColumns));
  }
};

}  // namespace
}  // namespace negatron
