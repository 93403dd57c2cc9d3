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
};

}  // namespace negatron
