#include "runtime/training/row_ages.h"

namespace negatron {
namespace {

/// [m] int64 how old this rank's rows are, those that a step wrote.
at::Tensor row_ages(const Bank& bank, std::int64_t step) {
  const at::Tensor& written = bank.shard().steps;
  return written.masked_select(written.ge(0)).neg().add(step).clamp_min(0);
}

}  // namespace

std::int64_t oldest_age(const Bank& bank, std::int64_t step) {
  const at::Tensor ages = row_ages(bank, step);
  return ages.numel() == 0 ? 0 : ages.max().item<std::int64_t>();
}

at::Tensor ages_of_rows(const Bank& bank, std::int64_t step, std::int64_t together) {
  return row_ages(bank, step).floor_divide(together).bincount({}, kAgeBuckets).to(at::kDouble);
}

}  // namespace negatron
