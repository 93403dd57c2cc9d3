#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/count_above.h"
#include "samplers/pass/cpu/kernels/exact_scores.h"
#include "samplers/pass/cpu/kernels/merge_partials.h"
#include "samplers/pass/cpu/kernels/near_rows.h"
#include "samplers/pass/cpu/kernels/panel_product.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/cpu/kernels/tile_rows.h"
#include "samplers/pass/cpu/kernels/tile_weights.h"
#include "samplers/pass/selection/host_device.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// A partial over no row, for g queries.
inline void clear_partial(const PartialShape& shape, std::int64_t g, float* partial) {
  const auto fill = [&partial](std::int64_t count, float value) {
    for (std::int64_t i = 0; i < count; ++i) partial[i] = value;
    partial += count;
  };
  fill(g, -__builtin_inff());
  for (int term = 0; term < shape.terms; ++term) {
    fill(g, kNoReference);
    fill((shape.term_size[term] - 1) * g, 0.0f);
  }
}

/// What a scan keeps in its workspace.
struct ScanBuffers {
  float* scores = nullptr;    // [kTileRows][g]
  float* weights = nullptr;   // [kTileRows][g], where the scores are needed after, and before them for near rows
  float* row_bias = nullptr;  // [kTileRows]
  float* row_hide = nullptr;  // [kTileRows]
  float* rows = nullptr;
};

/// Arithmetic says how numbers meet: how queries [d] become words and rows become what its products read
/// (tile_rows.h), how words are multiplied, and how weights are stored for the second product: kRowsAWord rows in a
/// word, and always kRowsAStep rows.
template <class Arithmetic>
class Scan {
  using V = typename Arithmetic::V;

 public:
  static std::int64_t workspace_size(std::int64_t width) {
    return 2 * kTileRows * V::kVectors * V::kLanes + 2 * kTileRows + Arithmetic::tile_rows_size(width);
  }

  explicit Scan(const LeafScan& leaf) : leaf_(leaf) {
    constexpr std::int64_t kPanel = kTileRows * V::kVectors * V::kLanes;
    buffers_.scores = leaf.workspace;
    buffers_.weights = buffers_.scores + kPanel;
    buffers_.row_bias = buffers_.weights + kPanel;
    buffers_.row_hide = buffers_.row_bias + kTileRows;
    buffers_.rows = buffers_.row_hide + kTileRows;
  }

  void run() {
    for_each_group(
        [this](std::int64_t, std::int64_t g, const float*, float* partial) { clear_partial(leaf_.shape, g, partial); });
    const ExcludedPair* excluded = leaf_.excluded;
    const ExcludedPair* const excluded_end = excluded + leaf_.excluded_count;
    for (std::int64_t begin = 0; begin < leaf_.row_count; begin += kTileRows) {
      const std::int64_t count = begin + kTileRows < leaf_.row_count ? kTileRows : leaf_.row_count - begin;
      const TileRows rows = Arithmetic::tile_rows(leaf_, begin, count, buffers_.rows);
      prepare_bias(begin, count);
      if (leaf_.largest_square != nullptr) {
        raise_largest_square<Arithmetic>(rows.scores, count, rows.score_depth, buffers_.row_hide, leaf_.largest_square);
      }
      const ExcludedPair* const first = excluded;
      while (excluded != excluded_end && excluded->row < leaf_.first_row + begin + count) ++excluded;
      for_each_group([&](std::int64_t query, std::int64_t g, const float* queries, float* partial) {
        const Tile tile{rows, begin, count, first, excluded, query, queries, partial};
        switch (g / V::kLanes) {
          case 1:
            return score<1>(tile);
          case 2:
            return score<2>(tile);
          default:
            if constexpr (V::kVectors > 2) {
              if (g / V::kLanes == 3) return score<3>(tile);
              return score<4>(tile);
            }
        }
      });
    }
  }

 private:
  /// Some rows against a group of queries.
  struct Tile {
    const TileRows& rows;
    std::int64_t begin;
    std::int64_t count;
    const ExcludedPair* excluded;
    const ExcludedPair* excluded_end;
    std::int64_t first_query;
    const float* queries;
    float* partial;
  };

  /// visit(first query of the block, padded queries, their panels, their partial)
  template <class Visit>
  void for_each_group(const Visit& visit) const {
    const std::int64_t panel_size = leaf_.query_parts * Arithmetic::words(leaf_.shape.width);
    const float* queries = leaf_.queries;
    float* partial = leaf_.partial;
    for (std::int64_t vector = 0; vector < leaf_.query_vectors; vector += V::kVectors) {
      const std::int64_t left = leaf_.query_vectors - vector;
      const std::int64_t g = (left < V::kVectors ? left : V::kVectors) * V::kLanes;
      visit(vector * V::kLanes, g, queries, partial);
      queries += panel_size * g;
      partial += leaf_.shape.size * g;
    }
  }

  /// So many rows are weighed, those that are none with 0.
  static constexpr std::int64_t padded_count(std::int64_t count) {
    static_assert(kTileRows % Arithmetic::kRowsAStep == 0);
    return (count + Arithmetic::kRowsAStep - 1) / Arithmetic::kRowsAStep * Arithmetic::kRowsAStep;
  }

  void prepare_bias(std::int64_t begin, std::int64_t count) const {
    for (std::int64_t r = 0; r < count; ++r) {
      buffers_.row_hide[r] = leaf_.validity != nullptr ? leaf_.validity[begin + r] : 0.0f;
      buffers_.row_bias[r] =
          leaf_.bias != nullptr ? leaf_.bias[begin + r] * kLog2E + buffers_.row_hide[r] : buffers_.row_hide[r];
    }
    for (std::int64_t r = count; r < padded_count(count); ++r) buffers_.row_bias[r] = -__builtin_inff();
  }

  template <int kVectors>
  void score(const Tile& tile) const {
    constexpr int kWidth = kVectors * V::kLanes;
    const PartialShape& shape = leaf_.shape;
    const std::int64_t depth = tile.rows.score_depth;
    Arithmetic::template multiply<kVectors, false>(tile.count, tile.rows.scores, tile.queries, depth, buffers_.scores);
    if (leaf_.query_parts == 2) {
      Arithmetic::template multiply<kVectors, true>(tile.count, tile.rows.scores, tile.queries + depth * kWidth, depth,
                                                    buffers_.scores);
    }
    const std::int64_t padded = padded_count(tile.count);
    for (std::int64_t i = tile.count * kWidth; i < padded * kWidth; ++i) buffers_.scores[i] = 0.0f;
    hide_excluded(tile, kWidth);

    float* partial = tile.partial;
    if (leaf_.near != nullptr) {
      note_near_rows<V, kVectors>({buffers_.scores, tile.count, nullptr}, buffers_.row_hide,
                                  leaf_.first_row + tile.begin, tile.first_query, buffers_.weights, *leaf_.near);
    }
    if (leaf_.scores != nullptr) keep_scores<kVectors>(tile);
    if (leaf_.want_max) find_largest<V, kVectors>({buffers_.scores, tile.count, nullptr}, buffers_.row_hide, partial);
    partial += kWidth;
    const TileScores scores{buffers_.scores, padded, buffers_.row_bias};
    for (int term = 0; term < shape.terms; ++term) {
      const float log2_scale = leaf_.scales[term] * kLog2E;
      float* references = partial;
      float* mass = references + kWidth;
      raise_references<V, kVectors>(scores, log2_scale, shape.term_size[term] - 1, references);
      float* weights = term + 1 == shape.terms ? buffers_.scores : buffers_.weights;
      weigh<Arithmetic, kVectors>(scores, log2_scale, references, mass, weights);
      if (shape.sums[term]) {
        Arithmetic::template multiply<kVectors, true>(shape.width, tile.rows.sums, weights, tile.rows.sum_depth,
                                                      mass + kWidth);
      }
      partial += shape.term_size[term] * kWidth;
    }
  }

  void hide_excluded(const Tile& tile, std::int64_t width) const {
    for (const ExcludedPair* pair = tile.excluded; pair != tile.excluded_end; ++pair) {
      const std::int64_t lane = pair->query - leaf_.first_query - tile.first_query;
      const std::int64_t row = pair->row - leaf_.first_row - tile.begin;
      if (lane >= 0 && lane < width) buffers_.scores[row * width + lane] = __builtin_nanf("");
    }
  }

  template <int kVectors>
  void keep_scores(const Tile& tile) const {
    constexpr int kWidth = kVectors * V::kLanes;
    for (std::int64_t r = 0; r < tile.count; ++r) {
      const bool hidden = buffers_.row_hide[r] != 0.0f;
      const float* const from = buffers_.scores + r * kWidth;
      float* const to = leaf_.scores + (tile.begin + r) * kWidth;
      for (int i = 0; i < kWidth; ++i) to[i] = hidden ? __builtin_nanf("") : from[i];
    }
  }

  const LeafScan& leaf_;
  ScanBuffers buffers_;
};

template <class Arithmetic>
PassKernel make_pass_kernel() {
  using V = typename Arithmetic::V;
  return {V::kLanes,
          V::kVectors,
          Arithmetic::kRowsAWord == 2,
          Arithmetic::words,
          Scan<Arithmetic>::workspace_size,
          [](const LeafScan& leaf) { Scan<Arithmetic>(leaf).run(); },
          merge_partials<V>,
          count_above<V>,
          widen_numbers,
          score_exactly<V>};
}

}  // namespace
}  // namespace negatron
