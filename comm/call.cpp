#include "comm/call.h"

#include <numeric>

#include "comm/share.h"

namespace negatron {
namespace {

/// The types that every transport can move and reduce; null for any other. One list for all of them, so that a program
/// which runs over threads is not refused by MPI or NCCL.
const char* dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "fp64";
    case at::kFloat:
      return "fp32";
    case at::kBFloat16:
      return "bf16";
    case at::kHalf:
      return "fp16";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return nullptr;
  }
}

std::string dtype_text(const at::Tensor& tensor) {
  const char* name = dtype_name(tensor.scalar_type());
  return name != nullptr ? name : c10::toString(tensor.scalar_type());
}

std::string list(at::IntArrayRef values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(values[i]);
  return text + "]";
}

/// "fp32 [*, 128]": what must agree when the number of rows may differ.
std::string describe_row(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() == 0) return describe(tensor);
  std::string text = dtype_text(tensor) + " [*";
  for (const std::int64_t size : tensor.sizes().slice(1)) text += ", " + std::to_string(size);
  return text + "]";
}

/// Refusals name the first thing that is wrong. Callers ask one after the other and keep the first answer, because
/// later questions read sizes that only a tensor which passed the earlier ones has: size(0) of a scalar would throw
/// without saying which call it was.
std::string refuse_tensor(const at::Tensor& tensor) {
  if (!tensor.defined()) return "the tensor is undefined";
  if (dtype_name(tensor.scalar_type()) == nullptr) {
    return "dtype " + dtype_text(tensor) + " is not one of fp64, fp32, bf16, fp16, int64, int32, uint8, bool";
  }
  if (!tensor.is_contiguous()) return "the tensor is not contiguous; pass tensor.contiguous()";
  return {};
}

std::string refuse_rows_tensor(const at::Tensor& tensor) {
  std::string refusal = refuse_tensor(tensor);
  if (refusal.empty() && tensor.dim() == 0) refusal = "the tensor is a scalar; rows need at least one dimension";
  return refusal;
}

std::string refuse_sum_of_bool(const at::Tensor& tensor, ReduceOp op) {
  if (op != ReduceOp::kSum || tensor.scalar_type() != at::kBool) return {};
  return "bool has no sum; use max for \"any\" and min for \"all\"";
}

/// For operations whose blocks are all alike. Where they may differ the ragged form says how many rows go where.
std::string refuse_blocks(const at::Tensor& tensor, int ranks) {
  if (tensor.size(0) % ranks == 0) return {};
  return std::to_string(tensor.size(0)) + " rows do not split into " + std::to_string(ranks) + " equal blocks";
}

std::string refuse_counts(at::IntArrayRef rows, const char* name, int ranks) {
  if (static_cast<int>(rows.size()) != ranks) {
    return std::string(name) + " has " + std::to_string(rows.size()) + " entries for " + std::to_string(ranks) +
           " ranks";
  }
  for (const std::int64_t count : rows) {
    if (count < 0) return std::string(name) + " " + list(rows) + " has a negative entry";
  }
  return {};
}

}  // namespace

std::int64_t total_rows(at::IntArrayRef rows) {
  return std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
}

std::string describe(const at::Tensor& tensor) {
  return tensor.defined() ? dtype_text(tensor) + " " + list(tensor.sizes()) : "undefined";
}

std::int64_t row_bytes(const at::Tensor& tensor) {
  std::int64_t bytes = tensor.element_size();
  if (tensor.dim() > 1) {
    for (const std::int64_t size : tensor.sizes().slice(1)) bytes *= size;
  }
  return bytes;
}

Call barrier_call() {
  Call call;
  call.operation = "barrier";
  call.signature = "barrier";
  return call;
}

Call broadcast_call(Caller caller, const at::Tensor& tensor, int root) {
  Call call;
  call.operation = "broadcast";
  call.arguments = describe(tensor) + " from rank " + std::to_string(root);
  call.signature = "broadcast " + call.arguments;
  call.refusal = refuse_tensor(tensor);
  if (root < 0 || root >= caller.size) {
    call.refusal = "root " + std::to_string(root) + " is not a rank of a group of " + std::to_string(caller.size);
  }
  if (!call.refusal.empty()) return call;
  const auto bytes = static_cast<std::int64_t>(tensor.nbytes());
  // What the operation needs, not what a tree of messages happens to forward: the root's bytes reach each other rank
  // once.
  call.bytes_sent = caller.rank == root ? (caller.size - 1) * bytes : 0;
  call.bytes_received = caller.rank == root ? 0 : bytes;
  return call;
}

Call all_reduce_call(Caller caller, const at::Tensor& tensor, ReduceOp op) {
  Call call;
  call.operation = "all_reduce";
  call.arguments = std::string(name(op)) + " " + describe(tensor);
  call.signature = "all_reduce " + call.arguments;
  call.refusal = refuse_tensor(tensor);
  if (call.refusal.empty()) call.refusal = refuse_sum_of_bool(tensor, op);
  if (!call.refusal.empty()) return call;
  // Reduce-scatter of the elements by share(), then all-gather of this rank's share.
  // Say 10 elements on 4 ranks, shares of 3, 3, 2, 2. Rank 0 sends the 7 elements that others own, and its own 3 to 3
  // others: 16. Rank 2 sends 8 and 2 * 3: 14. What it receives is the same two numbers in the other order.
  const std::int64_t own = share(tensor.numel(), caller.size, caller.rank).size();
  const std::int64_t moved = (tensor.numel() - own) + (caller.size - 1) * own;
  call.bytes_sent = moved * tensor.element_size();
  call.bytes_received = call.bytes_sent;
  return call;
}

Call all_gather_call(Caller caller, const at::Tensor& tensor, at::IntArrayRef rows) {
  Call call;
  call.operation = "all_gather";
  call.arguments = describe(tensor);
  if (!rows.empty()) call.arguments += ", rows " + list(rows);
  // With `rows` the first dimension differs between ranks by right; the list is then what all must hold alike, and that
  // own rows fit it each rank checks for itself.
  call.signature = "all_gather " + (rows.empty() ? describe(tensor) : describe_row(tensor) + ", rows " + list(rows));
  call.refusal = refuse_rows_tensor(tensor);
  if (call.refusal.empty() && !rows.empty()) {
    call.refusal = refuse_counts(rows, "rows", caller.size);
    if (call.refusal.empty() && rows[caller.rank] != tensor.size(0)) {
      call.refusal = "the tensor has " + std::to_string(tensor.size(0)) + " rows where rows " + list(rows) + " says " +
                     std::to_string(rows[caller.rank]);
    }
  }
  if (!call.refusal.empty()) return call;
  const std::int64_t own = tensor.size(0);
  const std::int64_t total = rows.empty() ? own * caller.size : total_rows(rows);
  call.bytes_sent = (caller.size - 1) * own * row_bytes(tensor);
  call.bytes_received = (total - own) * row_bytes(tensor);
  return call;
}

Call reduce_scatter_call(Caller caller, const at::Tensor& tensor, ReduceOp op) {
  Call call;
  call.operation = "reduce_scatter";
  call.arguments = std::string(name(op)) + " " + describe(tensor);
  call.signature = "reduce_scatter " + call.arguments;
  call.refusal = refuse_rows_tensor(tensor);
  if (call.refusal.empty()) call.refusal = refuse_sum_of_bool(tensor, op);
  if (call.refusal.empty()) call.refusal = refuse_blocks(tensor, caller.size);
  if (!call.refusal.empty()) return call;
  // Own contributions to the blocks of others go out, and as many contributions to the own block come in.
  const std::int64_t block = tensor.size(0) / caller.size * row_bytes(tensor);
  call.bytes_sent = (caller.size - 1) * block;
  call.bytes_received = call.bytes_sent;
  return call;
}

Call all_to_all_call(Caller caller, const at::Tensor& tensor) {
  Call call;
  call.operation = "all_to_all";
  call.arguments = describe(tensor);
  call.signature = "all_to_all " + call.arguments;
  call.refusal = refuse_rows_tensor(tensor);
  if (call.refusal.empty()) call.refusal = refuse_blocks(tensor, caller.size);
  if (!call.refusal.empty()) return call;
  const std::int64_t block = tensor.size(0) / caller.size * row_bytes(tensor);
  call.bytes_sent = (caller.size - 1) * block;
  call.bytes_received = call.bytes_sent;
  return call;
}

Call all_to_all_call(Caller caller, const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows) {
  Call call;
  call.operation = "all_to_all";
  call.arguments = describe(tensor) + ", send rows " + list(send_rows) + ", receive rows " + list(receive_rows);
  // Counts are no part of it: they differ from rank to rank. Each count is compared with its counterpart instead, by
  // compare_rows().
  call.signature = "all_to_all ragged " + describe_row(tensor);
  call.refusal = refuse_rows_tensor(tensor);
  if (call.refusal.empty()) call.refusal = refuse_counts(send_rows, "send_rows", caller.size);
  if (call.refusal.empty()) call.refusal = refuse_counts(receive_rows, "receive_rows", caller.size);
  if (call.refusal.empty() && total_rows(send_rows) != tensor.size(0)) {
    call.refusal = "the tensor has " + std::to_string(tensor.size(0)) + " rows where send_rows " + list(send_rows) +
                   " add up to " + std::to_string(total_rows(send_rows));
  }
  // The one pair of counts that a rank can compare alone, so it is compared without checked mode as well.
  if (call.refusal.empty() && send_rows[caller.rank] != receive_rows[caller.rank]) {
    call.refusal = "rank " + std::to_string(caller.rank) + " sends itself " + std::to_string(send_rows[caller.rank]) +
                   " rows and expects " + std::to_string(receive_rows[caller.rank]);
  }
  if (!call.refusal.empty()) return call;
  call.bytes_sent = (total_rows(send_rows) - send_rows[caller.rank]) * row_bytes(tensor);
  call.bytes_received = (total_rows(receive_rows) - receive_rows[caller.rank]) * row_bytes(tensor);
  call.send_rows = send_rows.vec();
  call.receive_rows = receive_rows.vec();
  return call;
}

}  // namespace negatron
