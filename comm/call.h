#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/reduce_op.h"

namespace negatron {

/// One call at the front door: what is logged, compared over ranks, refused and counted. Local, like everything here.
struct Call {
  const char* operation = "";
  /// This rank's arguments, for people: "fp32 [256, 128]"
  std::string arguments;
  /// What all ranks must say alike: "all_gather fp32 [*, 128], rows [256, 256]"
  std::string signature;
  /// Empty, or why this rank cannot make the call.
  std::string refusal;
  /// The convention is that of TrafficCounter.
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  /// all_to_all only: what the ranks must say of each other.
  std::vector<std::int64_t> send_rows;
  std::vector<std::int64_t> receive_rows;
};

/// Who calls.
struct Caller {
  int rank = 0;
  int size = 1;
};

Call barrier_call();
Call broadcast_call(Caller caller, const at::Tensor& tensor, int root);
Call all_reduce_call(Caller caller, const at::Tensor& tensor, ReduceOp op);
/// `rows` empty: as many rows on every rank as here.
Call all_gather_call(Caller caller, const at::Tensor& tensor, at::IntArrayRef rows);
Call reduce_scatter_call(Caller caller, const at::Tensor& tensor, ReduceOp op);
/// Even blocks.
Call all_to_all_call(Caller caller, const at::Tensor& tensor);
Call all_to_all_call(Caller caller, const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows);

/// Rows of all ranks together.
std::int64_t total_rows(at::IntArrayRef rows);

/// "fp32 [256, 128]"
std::string describe(const at::Tensor& tensor);

/// Bytes of one row (everything but the first dimension), also of a tensor without rows. A scalar is one row.
std::int64_t row_bytes(const at::Tensor& tensor);

}  // namespace negatron
