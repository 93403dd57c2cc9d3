#pragma once

#include <cstdint>

#include "samplers/pass/cuda/row_bars.h"
#include "samplers/pass/cuda/warp_tile.h"

namespace negatron {

/// The reference over no row.
inline constexpr float kNoScanReference = -0x1p60f;
/// A reference follows the largest logit only when it has risen by more than this. Weights then stay below 2^8.
inline constexpr float kScanReferenceSlack = 8.0f;
/// The largest |q| |scale| log2(e) that a reference may stay at from the start: rows of length 1 then weigh 2^-120 to
/// 1, and rows three times as long still do not overflow. tau >= 0.024 for queries of length 1.
inline constexpr float kLargestFixedReference = 60.0f;
/// Rows in bf16 may be that much longer than 1, rounded up.
inline constexpr float kRoundedRowNorm = 1.0f + 0x1p-7f;

/// 2^exponent of a whole number up to 0, 0 below the normal numbers.
NEGATRON_HOST_DEVICE float power_of_two(float exponent) {
  if (!(exponent >= -126.0f)) return 0.0f;
  union {
    std::uint32_t bits;
    float value;
  } number;
  number.bits = static_cast<std::uint32_t>(127 + static_cast<int>(exponent)) << 23;
  return number.value;
}

/// What a thread keeps of the weights of its two queries in each query tile.
template <class Shape>
struct QueryMasses {
  float reference[Shape::kTerms][Shape::kQueryTiles][2];
  /// The masses of the thread's own rows only.
  float mass[Shape::kTerms][Shape::kQueryTiles][2];
  /// Whether a reference of the warp must follow the largest logit.
  bool follows[Shape::kTerms];
};

/// Unit rows bound every logit by |q| |scale|: where that is small enough it is the reference of all rows, and no
/// maximum has to be found.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void start_masses(const Thread& thread, const BankScan& scan, QueryMasses<Shape>& masses) {
  NEGATRON_UNROLL
  for (int term = 0; term < Shape::kTerms; ++term) {
    bool follows = false;
    NEGATRON_UNROLL
    for (int m = 0; m < Shape::kQueryTiles; ++m) {
      NEGATRON_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int query = own_query<Shape>(thread, m, half);
        const float norm = query < scan.query_count ? scan.query_norms[query] : 0.0f;
        const float bound = __builtin_ceilf(__builtin_fabsf(scan.log2_scales[term]) * norm * kRoundedRowNorm);
        const bool fixed = scan.bias == nullptr && bound <= kLargestFixedReference;
        masses.reference[term][m][half] = fixed ? bound : kNoScanReference;
        masses.mass[term][m][half] = 0.0f;
        follows |= !fixed;
      }
    }
    masses.follows[term] = thread.any(follows);
  }
}

/// log2(e) bias of a row of the bank, 0 without bias and beyond the bank.
NEGATRON_HOST_DEVICE float log2_bias(const BankScan& scan, int row) {
  return scan.bias != nullptr && row < scan.row_count ? scan.bias[row] * kLog2E : 0.0f;
}

/// A scale of 0 or below must not make a candidate of a barred row.
NEGATRON_HOST_DEVICE float scan_logit(float score, float log2_scale, float offset) {
  return score == kBarredScore ? kBarredScore : log2_scale * score + offset;
}

/// Raises references to the largest logits of a chunk where needed, and rescales what follows them.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void raise_references(const Thread& thread, const BankScan& scan, int term, int first_row,
                                           const ChunkScores<Shape>& scores, QueryMasses<Shape>& masses,
                                           WeightedSums<Shape>& sums) {
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    NEGATRON_UNROLL
    for (int half = 0; half < 2; ++half) {
      float top = kBarredScore;
      NEGATRON_UNROLL
      for (int j = 0; j < Shape::kRowTiles; ++j) {
        NEGATRON_UNROLL
        for (int e = 0; e < 2; ++e) {
          top = __builtin_fmaxf(top, scan_logit(scores[m][j][2 * half + e], scan.log2_scales[term],
                                                log2_bias(scan, first_row + row_in_chunk(thread, j, e))));
        }
      }
      // Four neighbouring threads share a query.
      top = __builtin_fmaxf(top, thread.shuffle_xor(top, 1));
      top = __builtin_fmaxf(top, thread.shuffle_xor(top, 2));
      float& reference = masses.reference[term][m][half];
      if (!(top > reference + kScanReferenceSlack)) continue;
      const float raised = __builtin_ceilf(top);
      const float factor = power_of_two(reference - raised);
      reference = raised;
      masses.mass[term][m][half] *= factor;
      NEGATRON_UNROLL
      for (int c = 0; c < Shape::kColumnTiles; ++c) {
        sums[term][m][c][2 * half] *= factor;
        sums[term][m][c][2 * half + 1] *= factor;
      }
    }
  }
}

/// The weights of the rows of row tiles 2 `pair` and 2 `pair` + 1 of a chunk, by whose unrounded values masses grow:
/// they decide how much a result counts beside those of other ranks.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void weigh_rows(const Thread& thread, const BankScan& scan, int first_row, int pair,
                                     const ChunkScores<Shape>& scores, QueryMasses<Shape>& masses,
                                     RowWeights<Shape>& weights) {
  NEGATRON_UNROLL
  for (int term = 0; term < Shape::kTerms; ++term) {
    NEGATRON_UNROLL
    for (int m = 0; m < Shape::kQueryTiles; ++m) {
      NEGATRON_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int j = 2 * pair + i / 2;
        const int half = i % 2;
        const float reference = masses.reference[term][m][half];
        float weight[2];
        NEGATRON_UNROLL
        for (int e = 0; e < 2; ++e) {
          weight[e] = thread.exp2(scan_logit(scores[m][j][2 * half + e], scan.log2_scales[term],
                                             log2_bias(scan, first_row + row_in_chunk(thread, j, e)) - reference));
        }
        masses.mass[term][m][half] += weight[0] + weight[1];
        weights[term][m][i] = thread.pack(weight[0], weight[1]);
      }
    }
  }
}

}  // namespace negatron
