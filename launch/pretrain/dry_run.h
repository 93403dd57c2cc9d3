#pragma once

#include <iosfwd>

#include "runtime/run/pretrain_data.h"
#include "runtime/run/run_memory.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// What of a run is known before it begins.
struct KnownSizes {
  int ranks = 1;
  /// Of the backbone.
  std::int64_t feature_width = 0;
  /// Of rank 0.
  RunMemory memory;
};

/// Prints what a run would work on: how many images and classes, shapes of one step, and the memory of one rank that
/// its size decides (parameters, optimizer, bank, batch). Local.
void print_dry_run(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                   const PretrainData& data, const KnownSizes& sizes, std::ostream& out);

}  // namespace negatron
