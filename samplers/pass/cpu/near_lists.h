#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// No score reaches it.
inline constexpr float kInfiniteScore = std::numeric_limits<float>::infinity();

/// The lists of near rows of a block of queries while a thread scans for them, in memory of the caller. Local.
class NearLists {
 public:
  /// How many numbers lists of `capacity` rows take.
  static std::int64_t memory_size(std::int64_t queries, std::int64_t capacity);

  /// thresholds [queries], copied. Rows must score above them.
  NearLists(float* memory, std::int64_t queries, std::int64_t capacity, const float* thresholds);

  /// To be called before `rows` are scanned. A list without room for them takes no more: its threshold becomes
  /// infinite.
  void make_room(std::int64_t rows);
  NearRows* panel() { return &panel_; }

  std::int64_t count(std::int64_t query) const { return panel_.counts[query]; }
  std::span<const NearRow> rows(std::int64_t query) const {
    return {panel_.rows + query * panel_.stride, static_cast<std::size_t>(count(query))};
  }
  bool stopped(std::int64_t query) const;

 private:
  std::int64_t queries_;
  std::int64_t capacity_;
  float* thresholds_;
  NearRows panel_;
};

}  // namespace negatron
