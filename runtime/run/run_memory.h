#pragma once

#include <cstdint>

#include "runtime/encoders/backbone.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Bytes that a rank is known to take: all but activations, what a step computes beside the bank, and the program.
struct RunMemory {
  /// Of the query encoder and its head.
  std::int64_t parameters = 0;
  std::int64_t gradients_and_optimizer = 0;
  /// 0 without one.
  std::int64_t key_encoder = 0;
  /// Rows of the bank, and the numbers of each; 0 without one.
  std::int64_t bank_rows = 0;
  std::int64_t bank_numbers = 0;
  /// Of rows that learn: raw rows, their moments, the gradient while a step takes it, and what is copied while a
  /// snapshot is written.
  std::int64_t bank_learning = 0;
  /// Of an index: its rows once more while they are made anew, and twice where a snapshot may be written meanwhile.
  std::int64_t bank_anew = 0;
  /// What a sampler keeps for each sample, and a copy of it while it is saved, or what it mines.
  std::int64_t sampler_lists = 0;
  /// Images that lie in memory, and batches that wait.
  std::int64_t images = 0;
  std::int64_t batches = 0;
  /// Rows of samples, on the host, while an order of similar ones is made.
  std::int64_t ordered_rows = 0;

  std::int64_t bank() const { return bank_rows + bank_numbers + bank_learning + bank_anew + sampler_lists; }
  std::int64_t encoders() const { return parameters + gradients_and_optimizer + key_encoder; }
  std::int64_t data() const { return images + batches + ordered_rows; }
};

/// Of rank 0 of `ranks`, whose shares of batch and bank are the largest where they do not divide. `backbone` is that of
/// the options. Local.
RunMemory run_memory(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                     const PretrainData& data, const Backbone& backbone, int ranks);

}  // namespace negatron
