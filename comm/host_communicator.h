#pragma once

#include "comm/communicator.h"
#include "comm/host_transfer.h"

namespace negatron {

/// A group whose transport moves bytes between host tensors. Reductions are built from all_to_all (or all_gather) and a
/// local sum in rank order: reproducible, and several times faster than OpenMPI's own reduce_scatter.
class HostCommunicator : public Communicator {
 protected:
  HostCommunicator(int rank, int size, const CommunicatorOptions& options, std::shared_ptr<RollCall> roll_call)
      : Communicator(rank, size, at::kCPU, options, std::move(roll_call)) {}

 private:
  class HostPending;

  PendingPtr do_barrier() override;
  PendingPtr do_broadcast(const at::Tensor& tensor, int root) override;
  PendingPtr do_all_reduce(const at::Tensor& tensor, ReduceOp op) override;
  PendingPtr do_all_gather(const at::Tensor& tensor, at::IntArrayRef rows) override;
  PendingPtr do_reduce_scatter(const at::Tensor& tensor, ReduceOp op) override;
  PendingPtr do_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows) override;
  std::vector<std::string> do_exchange(const std::string& bytes) override;

  // The three things that a transport does. Contiguous host tensors whose rows (dimension 0) are as told; errors are
  // CommError without coordinates. They return at once.
  virtual HostTransferPtr move_broadcast(const at::Tensor& tensor, int root) = 0;
  virtual HostTransferPtr move_all_gather(const at::Tensor& send, at::IntArrayRef rows, const at::Tensor& receive) = 0;
  virtual HostTransferPtr move_all_to_all(const at::Tensor& send, at::IntArrayRef send_rows, const at::Tensor& receive,
                                          at::IntArrayRef receive_rows) = 0;

  PendingPtr all_reduce_in_one_phase(const at::Tensor& tensor, ReduceOp op);
  PendingPtr all_reduce_in_two_phases(const at::Tensor& tensor, ReduceOp op);
  PendingPtr pending(HostTransferPtr transfer, std::function<at::Tensor()> complete);
  /// Returns when the bytes are there. Throws TimeoutError after the time limit, or when another rank's is over.
  void await(HostTransfer& transfer);
};

}  // namespace negatron
