#pragma once

#include <algorithm>
#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/bank.h"

namespace negatron {

/// Into how many buckets ages of rows are counted at most.
inline constexpr std::int64_t kAgeBuckets = 50;

/// [m] int64: of rows that stay, how many steps before `step` this rank's rows were written, those that a step wrote.
/// As every function here, local.
inline at::Tensor row_ages(const Bank& bank, std::int64_t step) {
  const at::Tensor& written = bank.shard().steps;
  return written.masked_select(written.ge(0)).neg().add(step).clamp_min(0);
}

/// Of the oldest of them; 0 without one.
inline std::int64_t oldest_age(const Bank& bank, std::int64_t step) {
  const at::Tensor ages = row_ages(bank, step);
  return ages.numel() == 0 ? 0 : ages.max().item<std::int64_t>();
}

/// [kAgeBuckets] fp64 on the host: how many are i * together to (i + 1) * together - 1 steps old. Example: of rows of
/// ages 1, 2 and 120, three together, 1 and 2 are in bucket 0 and 120 is in bucket 40.
inline at::Tensor ages_of_rows(const Bank& bank, std::int64_t step, std::int64_t together) {
  return row_ages(bank, step).floor_divide(together).bincount({}, kAgeBuckets).to(at::kDouble);
}

}  // namespace negatron
