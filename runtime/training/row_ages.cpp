#include "runtime/training/row_ages.h"

namespace negatron {
namespace {

constexpr const char* kWrittenRows = "written_rows";
constexpr const char* kWrittenSteps = "written_steps";

/// [m] int64 how old this rank's rows are, those that a step wrote.
at::Tensor row_ages(const Bank& bank, std::int64_t step) {
  const at::Tensor& written = bank.shard().steps;
  return written.masked_select(written.ge(0)).neg().add(step).clamp_min(0);
}

}  // namespace

void add_written_rows(StepSums& sums, const Bank& bank) {
  const WrittenRows written = bank.written();
  const auto number = [](std::int64_t value) { return at::full({}, static_cast<double>(value), at::kDouble); };
  sums.add(kWrittenRows, number(written.count));
  sums.add(kWrittenSteps, number(written.step_sum));
}

double mean_age_of_written_rows(const StepSums& sums, std::int64_t step) {
  const double rows = sums[kWrittenRows];
  return rows > 0.0 ? static_cast<double>(step) - sums[kWrittenSteps] / rows : 0.0;
}

std::int64_t oldest_age(const Bank& bank, std::int64_t step) {
  const at::Tensor ages = row_ages(bank, step);
  return ages.numel() == 0 ? 0 : ages.max().item<std::int64_t>();
}

at::Tensor ages_of_rows(const Bank& bank, std::int64_t step, std::int64_t together) {
  return row_ages(bank, step).floor_divide(together).bincount({}, kAgeBuckets).to(at::kDouble);
}

}  // namespace negatron
