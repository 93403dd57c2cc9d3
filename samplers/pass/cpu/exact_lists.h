#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// The rows that one query lists, ascending, and their selection keys by exact score, in the same order.
struct ExactList {
  std::vector<std::int32_t> rows;
  std::vector<std::int64_t> keys;
};

/// Fills in the keys of lists of rows [n, d], contiguous, in `slots` [n] int64, for queries [lists, d] fp64. Goes
/// through the rows slice by slice, so that rows, slots and queries stay in the second-level cache. Local.
void key_lists(const PassKernel& kernel, RowFormat format, const at::Tensor& rows, const at::Tensor& slots,
               const double* queries, std::span<ExactList> lists);

}  // namespace negatron
