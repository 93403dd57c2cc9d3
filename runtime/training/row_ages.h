#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "runtime/training/step_sums.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Into how many buckets ages of rows are counted at most.
inline constexpr std::int64_t kAgeBuckets = 50;

/// Of rows that stay a rank knows its own only: adds which of them a step wrote, and when, to what is summed over
/// ranks. Several copies of a bank count all rows as often, which the mean does not show. Local.
void add_written_rows(StepSums& sums, const Bank& bank);

/// Of these sums over ranks, the mean of how many steps before `step` the rows were written; 0 without any. Example: of
/// rows that steps 3, 3 and 6 wrote, the mean age at step 10 is 6. Local.
double mean_age_of_written_rows(const StepSums& sums, std::int64_t step);

/// Of rows that stay, how many steps before `step` the oldest of this rank's rows was written, of those that a step
/// wrote; 0 without one. Local.
std::int64_t oldest_age(const Bank& bank, std::int64_t step);

/// [kAgeBuckets] fp64 on the host: how many of those rows are i * together to (i + 1) * together - 1 steps old, for
/// `together` larger than oldest_age() / kAgeBuckets. Example: of rows of ages 1, 2 and 120, three together,
/// 1 and 2 are in bucket 0 and 120 is in bucket 40. Local.
at::Tensor ages_of_rows(const Bank& bank, std::int64_t step, std::int64_t together);

}  // namespace negatron
