#pragma once

#include <ATen/ATen.h>

#include "comm/reduce_op.h"

namespace negatron {

/// [P*n, ...] -> [n, ...]: the P blocks reduced in rank order, so that the result does not depend on which rank
/// computes it. Sums of bf16 and fp16 accumulate in fp32 and are rounded once. Local.
at::Tensor reduce_in_rank_order(const at::Tensor& blocks, int ranks, ReduceOp op);

}  // namespace negatron
