#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

#include "comm/call.h"
#include "comm/collective_log.h"
#include "comm/communicator_options.h"
#include "comm/reduce_op.h"
#include "comm/roll_call/roll_call.h"
#include "comm/staging.h"
#include "comm/traffic.h"
#include "comm/work.h"

namespace negatron {

/// A group of P ranks and what they do together.
///
/// Every operation is *collective*: all ranks of the group call the same operations in the same order with matching
/// arguments, from one thread per rank. Operations are ordered like kernels on a stream: over a transport that moves
/// host memory an operation happens between start and `Work::wait`; over one on a device it is queued on the
/// communicator's stream, which waits for the caller's current stream at the start and which the caller's stream waits
/// for in `Work::wait`.
///
/// Tensors may lie on the host or on a device, call by call and rank by rank, whatever the transport; results lie where
/// the arguments do. What does not lie where the transport reads and writes is staged (staging.h) and counted apart
/// (Traffic::bytes_staged). A result on the host is there when `Work::wait` returns: the host waits for the device. Two
/// devices are one too many: a transport on one refuses tensors of another.
///
/// The public functions are the checked front door: they refuse wrong arguments (`CommError`), write the collective
/// log, count bytes and dispatch to the implementation. With `CommunicatorOptions::check` every call first compares
/// operation, dtype and sizes over the ranks, so that a mismatch is the same error on every rank and not a hang.
///
/// A group in which a collective was not finished within the time limit is *broken*: that wait throws `TimeoutError`,
/// which says which ranks did not answer, and every later call and wait of the group throws `BrokenGroupError` at once.
///
/// Tensors are contiguous, of dtype fp64, fp32, bf16, fp16, int64, int32, uint8 or bool. Sums of bf16 and fp16
/// accumulate in fp32; bool has no sum. Over MPI and threads sums are taken in rank order: the result is the same on
/// every rank and in every run. (NCCL promises that for one topology and one version.)
class Communicator {
 public:
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator();

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  /// "mpi", "nccl", "torch", "threads" or "alone".
  virtual const char* transport() const noexcept = 0;

  /// Returns when every rank has entered.
  void barrier();
  /// Replaces `tensor` by the one of `root`, in place.
  void broadcast(const at::Tensor& tensor, int root);
  /// Replaces `tensor` by the elementwise sum, minimum or maximum over ranks, in place.
  void all_reduce(const at::Tensor& tensor, ReduceOp op);
  /// [n, ...] of every rank -> [P*n, ...], in rank order.
  at::Tensor all_gather(const at::Tensor& tensor);
  /// [rows[r], ...] of rank r -> [sum(rows), ...], in rank order. `rows` is the same on every rank.
  at::Tensor all_gather(const at::Tensor& tensor, at::IntArrayRef rows);
  /// [P*n, ...] -> [n, ...]: rank r receives block r, reduced over ranks.
  at::Tensor reduce_scatter(const at::Tensor& tensor, ReduceOp op);
  /// [P*n, ...] -> [P*n, ...]: block s of rank r becomes block r of rank s.
  at::Tensor all_to_all(const at::Tensor& tensor);
  /// Ragged: rank r sends send_rows[s] rows to rank s and receives receive_rows[s] rows from it.
  at::Tensor all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows);

  /// The same operations, not waited for. The result is what `Work::wait` returns; `tensor` must not be changed before.
  Work start_all_reduce(const at::Tensor& tensor, ReduceOp op);
  Work start_all_gather(const at::Tensor& tensor);
  Work start_all_gather(const at::Tensor& tensor, at::IntArrayRef rows);
  Work start_reduce_scatter(const at::Tensor& tensor, ReduceOp op);
  Work start_all_to_all(const at::Tensor& tensor);
  Work start_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows);
  Work start_broadcast(const at::Tensor& tensor, int root);

  /// Ranks that pass the same `color` form a new group, ordered by their rank here.
  std::unique_ptr<Communicator> split(int color);

  /// Passes when all ranks hold the same value; otherwise every rank throws `DisagreementError`, which names `what`
  /// and the ranks that differ from rank 0.
  void agree(std::string_view what, std::string_view value);

  /// Local. What this rank has sent and received so far, by operation.
  const TrafficCounter& traffic() const noexcept { return traffic_; }
  TrafficCounter& traffic() noexcept { return traffic_; }
  /// Local. The last collectives of this rank.
  const CollectiveLog& log() const noexcept { return log_; }
  const CommunicatorOptions& options() const noexcept { return options_; }
  /// Local. That of the job, which all its groups share.
  const std::shared_ptr<RollCall>& roll_call() const noexcept { return roll_call_; }

 protected:
  using PendingPtr = std::unique_ptr<Work::Pending>;

  /// `home`: where the transport reads and writes. `roll_call` is the job's.
  Communicator(int rank, int size, at::Device home, const CommunicatorOptions& options,
               std::shared_ptr<RollCall> roll_call);

  /// Empty, or why no collective of this group can finish any more.
  const std::string& broken() const noexcept { return broken_; }

 private:
  class LoggedPending;

  // What an implementation does: checked arguments that lie at home, errors without coordinates (the front door adds
  // rank, operation, sequence number and arguments). Everything but split and exchange returns at once. Broadcast and
  // all_reduce return the tensor itself, the others a new one at home.
  virtual PendingPtr do_barrier() = 0;
  virtual PendingPtr do_broadcast(const at::Tensor& tensor, int root) = 0;
  virtual PendingPtr do_all_reduce(const at::Tensor& tensor, ReduceOp op) = 0;
  virtual PendingPtr do_all_gather(const at::Tensor& tensor, at::IntArrayRef rows) = 0;
  virtual PendingPtr do_reduce_scatter(const at::Tensor& tensor, ReduceOp op) = 0;
  virtual PendingPtr do_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows,
                                   at::IntArrayRef receive_rows) = 0;
  /// `members` are the ranks of the new group, this one among them, in order.
  virtual std::unique_ptr<Communicator> do_split(int color, const std::vector<int>& members) = 0;
  /// The host side channel: a few bytes, the same number on every rank -> those of all ranks, in rank order. Blocks.
  virtual std::vector<std::string> do_exchange(const std::string& bytes) = 0;

  /// Empty when this transport can take the tensor, else why not.
  std::string refuse(const at::Tensor& tensor) const;
  /// `tensor` is undefined for a call without one; `run` gets it as it lies at home.
  Work start(Call call, const at::Tensor& tensor, const std::function<PendingPtr(const at::Tensor&)>& run);
  /// Runs `body` as one logged, blocking operation.
  void run_logged(const Call& call, const std::function<void()>& body);
  void enter(const Call& call);
  void refuse_when_broken() const;
  /// Within the catch block of a time-out: marks the group as broken, says on stderr where this rank is, and asks which
  /// ranks are missing. Returns that in a sentence.
  std::string break_off(const std::string& message, const std::string& log);
  /// Within a catch block: gives the exception its coordinates and throws it.
  [[noreturn]] void rethrow(std::int64_t sequence, const Call& call);
  std::vector<std::string> exchange_any_length(const std::string& bytes);

  int rank_;
  int size_;
  Staging staging_;
  CommunicatorOptions options_;
  CollectiveLog log_;
  TrafficCounter traffic_;
  std::shared_ptr<RollCall> roll_call_;
  std::string broken_;
};

}  // namespace negatron
