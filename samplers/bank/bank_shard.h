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
  /// Of a learned bank, [n, d] in fp32, or fp64 where the rows are: the parameters, of which `rows` are what scores
  /// (row_geometry.h), and how they move (row_sgd.h). Undefined for others.
  at::Tensor raw;
  at::Tensor velocity;
};

}  // namespace negatron
