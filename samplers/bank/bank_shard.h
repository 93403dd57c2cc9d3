#pragma once

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"

namespace negatron {

/// This rank's part of the bank, n rows in the order of BankLayout. What a snapshot or a sampler reads.
struct BankShard {
  Rows rows;
  /// [n] int64 each, on the host. -1 where the row is a hole, random, or the value unknown.
  at::Tensor ids;
  at::Tensor steps;
  /// Of rows that learn, in fp32, or fp64 where the rows are: the parameters [n, d], d the vector_width() of rows,
  /// which are what of them scores (row_geometry.h), and what their optimizer remembers [n, moments_width of d]
  /// (row_optimizer.h). Undefined for others.
  at::Tensor raw;
  at::Tensor moments;
};

}  // namespace negatron
