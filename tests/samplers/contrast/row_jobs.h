#pragma once

#include <functional>

#include "tests/samplers/contrast/contrast_job.h"
#include "tests/samplers/contrast/slopes.h"

namespace negatron::testing {

/// [count, 4] unit rows.
inline at::Tensor wave_rows(std::int64_t count, double seed) {
  constexpr std::int64_t kWidth = 4;
  const at::Tensor rows = at::sin(at::arange(count * kWidth, at::kDouble).view({count, kWidth}) * 1.3 + seed);
  return rows / rows.norm(2, {1}, true);
}

/// `queries` queries with keys near them, over a bank of `rows` rows.
inline ContrastJob job_over_rows(std::int64_t queries, std::int64_t rows) {
  ContrastJob job;
  job.raw_queries = wave_rows(queries, 0.2);
  job.raw_keys = job.raw_queries + 0.4 * wave_rows(queries, 7.0);
  job.bank = wave_rows(rows, 3.0);
  job.temperature.tau = 0.3;
  return job;
}

/// The slopes of what `measure` says of the job's answer, by the rows. Rows that tie are to be left out: moved, they
/// change places in an order.
inline Slopes slopes_by_rows(ContrastJob job, int ranks, const std::function<double(const ContrastAnswer&)>& measure) {
  constexpr double kNudge = 1e-6;
  job.bank = job.bank.clone();
  return slopes_along(job.bank, kNudge, [&] { return measure(run_contrast(job, ranks)); });
}

}  // namespace negatron::testing
