#pragma once

#include "runtime/planning/network.h"

namespace negatron {

/// Of the pass for each score and column: one product for the scores, one for the gradient.
inline constexpr double kFlopsPerScoreAndColumn = 4.0;

/// What the cost model knows of a machine: constants of one rank while all ranks work.
struct Machine {
  /// Of the pass, in FLOP per second.
  double pass_flops = 0.0;
  /// What a pass costs over no row.
  double pass_start_seconds = 0.0;
  /// At which the bank can be read.
  double read_bytes_per_second = 0.0;
  /// What finding the hardest rows adds to a pass, for each score, and over no row.
  double select_seconds_per_score = 0.0;
  double select_start_seconds = 0.0;
  /// What else a stage does on each rank: packing, merging, starting threads.
  double rest_seconds = 0.0;
  Network network;

  /// So many queries keep the products busier than the memory: F w / (4 W), w bytes an element (COST_MODEL.md 2).
  double crossover_queries(double element_bytes) const {
    return pass_flops * element_bytes / (kFlopsPerScoreAndColumn * read_bytes_per_second);
  }
};

}  // namespace negatron
