#include "comm/rank_order_reduction.h"

namespace negatron {

at::Tensor reduce_in_rank_order(const at::Tensor& blocks, int ranks, ReduceOp op) {
  const std::int64_t rows = blocks.size(0) / ranks;
  const at::ScalarType dtype = blocks.scalar_type();
  // In bf16, 256 + 1 + 1 is 256 when it is rounded after each rank and 258 when it is rounded once. Minimum and maximum
  // round nothing.
  const bool widen = op == ReduceOp::kSum && (dtype == at::kBFloat16 || dtype == at::kHalf);
  // A copy, because the first block is what the sum begins with, and may be memory that belongs to the caller.
  at::Tensor result = blocks.narrow(0, 0, rows).to(widen ? at::kFloat : dtype, /*non_blocking=*/false, /*copy=*/true);
  for (int rank = 1; rank < ranks; ++rank) {
    const at::Tensor block = blocks.narrow(0, rank * rows, rows);
    switch (op) {
      case ReduceOp::kSum:
        result.add_(block);
        break;
      case ReduceOp::kMin:
        at::minimum_out(result, result, block);
        break;
      case ReduceOp::kMax:
        at::maximum_out(result, result, block);
        break;
    }
  }
  return result.to(dtype);
}

}  // namespace negatron
