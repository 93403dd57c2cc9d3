#pragma once

#include <cstdint>

namespace negatron::testing {

/// The tile registers of a thread and what AMX does with them, after the operations of Intel's manual (Intel 64 and
/// IA-32 Architectures Software Developer's Manual, volume 2, LDTILECFG to TILEZERO). Tiles of 16 rows of 64 bytes
/// only. What a processor would refuse ends the program with a sentence.
class EmulatedTiles {
 public:
  static EmulatedTiles& of_this_thread();

  /// `shapes` are the 64 bytes that LDTILECFG reads.
  void configure(const void* shapes);
  void release() { configured_ = false; }
  bool configured() const { return configured_; }

  void zero(int tile);
  /// `stride` in bytes.
  void load(int tile, const void* from, std::int64_t stride);
  void store(int tile, void* to, std::int64_t stride);
  /// TDPBF16PS
  void multiply_add(int sum, int rows, int columns);

 private:
  static constexpr int kTiles = 8;
  static constexpr int kRows = 16;
  static constexpr int kWords = 16;

  /// Checks that it may be used.
  std::uint32_t (&words(int tile))[kRows][kWords];

  bool configured_ = false;
  std::uint32_t tiles_[kTiles][kRows][kWords] = {};
};

}  // namespace negatron::testing
