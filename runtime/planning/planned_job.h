#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/bank.h"

namespace negatron {

/// A training job as far as the cost model looks at it: one log sum exp over the whole bank for each query, as InfoNCE
/// takes it, queries in fp32.
struct PlannedJob {
  /// P
  std::int64_t ranks = 1;
  /// S, the ranks that share one copy of the bank; divides P.
  std::int64_t shards = 1;
  /// Samples per step over all ranks, at least P.
  std::int64_t global_batch = 256;
  /// K
  std::int64_t bank_rows = 65536;
  /// d
  std::int64_t width = 128;
  at::ScalarType bank_dtype = at::kBFloat16;
  /// A bank whose rows learn has one copy: shards is ranks.
  BankKind bank_kind = BankKind::kQueue;
  /// Of rows that learn.
  RowOptimizerKind row_optimizer = RowOptimizerKind::kSgd;
  /// N, the hardest rows that each query wants to know; 0 for none.
  std::int64_t hard = 0;
  /// Samples have ids, so that no query meets an older key of its own sample. Rows of a learned bank belong to none,
  /// and those of a memory and of a parametric one always have them.
  bool sample_ids = true;
  /// Of one rank for its forward and backward passes over one sample.
  double sample_seconds = 0.0;
  /// Of all parameters.
  double gradient_bytes = 0.0;

  bool has_kind(BankKind kind) const { return bank_kind == kind; }
  double row_bytes() const { return static_cast<double>(width) * static_cast<double>(at::elementSize(bank_dtype)); }
};

/// Throws std::invalid_argument with one sentence that names the flag.
void check(const PlannedJob& job);

}  // namespace negatron
