#include "comm/host_communicator.h"

#include <cstring>
#include <numeric>

#include "comm/call.h"
#include "comm/rank_order_reduction.h"
#include "comm/share.h"

namespace negatron {
namespace {

// Below this, one all-gather of everything is cheaper than the two latencies of reduce-scatter and all-gather.
constexpr std::size_t kOnePhaseBytes = 4096;

/// The transfer, then what is left to do on this rank.
class HostPending : public Work::Pending {
 public:
  HostPending(HostTransferPtr transfer, std::chrono::milliseconds limit, std::function<at::Tensor()> complete)
      : transfer_(std::move(transfer)), limit_(limit), complete_(std::move(complete)) {}

  at::Tensor finish() override {
    transfer_->wait(limit_);
    return complete_();
  }

 private:
  HostTransferPtr transfer_;
  std::chrono::milliseconds limit_;
  std::function<at::Tensor()> complete_;
};

/// An uninitialized host tensor of `rows` rows like those of `like`: pinned when `like` lives on a device.
at::Tensor host_rows(const at::Tensor& like, std::int64_t rows) {
  std::vector<std::int64_t> sizes = like.sizes().vec();
  // A scalar has no first dimension to change; gathered scalars are a list.
  if (sizes.empty()) sizes.push_back(rows);
  sizes.front() = rows;
  return at::empty(sizes, like.options().device(at::kCPU).pinned_memory(!like.is_cpu()));
}

/// The tensor itself, or its copy in pinned host memory.
at::Tensor on_host(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor.detach();
  const at::Tensor staged =
      at::empty(tensor.sizes(), tensor.options().device(at::kCPU).pinned_memory(true).requires_grad(false));
  staged.copy_(tensor);
  return staged;
}

/// `host` where `like` lives.
at::Tensor back(const at::Tensor& host, const at::Tensor& like) {
  return host.to(like.device());
}

/// Into the caller's tensor, without a trace in autograd: communication is differentiated by hand.
void write(const at::Tensor& target, const at::Tensor& value) {
  target.detach().copy_(value.view(target.sizes()));
}

}  // namespace

HostCommunicator::PendingPtr HostCommunicator::pending(HostTransferPtr transfer,
                                                       std::function<at::Tensor()> complete) const {
  return std::make_unique<HostPending>(std::move(transfer), options().time_limit, std::move(complete));
}

HostCommunicator::PendingPtr HostCommunicator::do_barrier() {
  // A gather of one byte each: no rank can have all of them before all have entered.
  const at::Tensor token = at::zeros({1}, at::kByte);
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), 1);
  return pending(move_all_gather(token, rows, host_rows(token, size())), [] { return at::Tensor(); });
}

HostCommunicator::PendingPtr HostCommunicator::do_broadcast(const at::Tensor& tensor, int root) {
  const at::Tensor host = on_host(tensor);
  return pending(move_broadcast(host, root), [tensor, host] {
    // On the host `host` is the tensor itself, and the bytes are where they belong.
    if (!tensor.is_cpu()) write(tensor, host);
    return tensor;
  });
}

HostCommunicator::PendingPtr HostCommunicator::do_all_gather(const at::Tensor& tensor, at::IntArrayRef rows) {
  const at::Tensor host = on_host(tensor);
  const at::Tensor gathered = host_rows(tensor, total_rows(rows));
  return pending(move_all_gather(host, rows, gathered), [tensor, gathered] { return back(gathered, tensor); });
}

HostCommunicator::PendingPtr HostCommunicator::do_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows,
                                                             at::IntArrayRef receive_rows) {
  const at::Tensor host = on_host(tensor);
  const at::Tensor received = host_rows(tensor, total_rows(receive_rows));
  return pending(move_all_to_all(host, send_rows, received, receive_rows),
                 [tensor, received] { return back(received, tensor); });
}

HostCommunicator::PendingPtr HostCommunicator::do_reduce_scatter(const at::Tensor& tensor, ReduceOp op) {
  const at::Tensor host = on_host(tensor);
  const at::Tensor blocks = host_rows(tensor, tensor.size(0));
  // Each rank receives its own block from all, [P n] in rank order, and sums them itself: a sum that a transport takes
  // on the way has an order that nobody promises.
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), tensor.size(0) / size());
  return pending(move_all_to_all(host, rows, blocks, rows), [tensor, blocks, op, ranks = size()] {
    return back(reduce_in_rank_order(blocks, ranks, op), tensor);
  });
}

HostCommunicator::PendingPtr HostCommunicator::do_all_reduce(const at::Tensor& tensor, ReduceOp op) {
  const at::Tensor host = on_host(tensor).view({-1});
  // Every element is the sum over ranks in rank order in both ways, so the size at which one gives way to the other
  // does not show in a result.
  //
  // Example with 3 ranks and 10 elements. In one phase each rank receives 30 elements and sums all 10. In two phases
  // the shares are 4, 3, 3: rank 1 receives elements 4 to 6 of each rank, sums these three, and the sums of all are
  // gathered. Both give all ranks the same bits, because an element is summed either by one rank alone or by all alike.
  return tensor.nbytes() <= kOnePhaseBytes ? all_reduce_in_one_phase(tensor, host, op)
                                           : all_reduce_in_two_phases(tensor, host, op);
}

HostCommunicator::PendingPtr HostCommunicator::all_reduce_in_one_phase(const at::Tensor& tensor, const at::Tensor& host,
                                                                       ReduceOp op) {
  const at::Tensor blocks = host_rows(host, size() * host.size(0));  // [P*n]
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), host.size(0));
  return pending(move_all_gather(host, rows, blocks), [tensor, host, blocks, op, ranks = size()] {
    write(tensor, reduce_in_rank_order(blocks, ranks, op));
    return tensor;
  });
}

HostCommunicator::PendingPtr HostCommunicator::all_reduce_in_two_phases(const at::Tensor& tensor,
                                                                        const at::Tensor& host, ReduceOp op) {
  const std::vector<std::int64_t> shares = share_sizes(host.size(0), size());
  const std::int64_t own = shares[static_cast<std::size_t>(rank())];
  const std::vector<std::int64_t> own_from_each(static_cast<std::size_t>(size()), own);
  const at::Tensor blocks = host_rows(host, size() * own);  // [P*own]
  // The second phase starts in the first one's completion, that is in `wait`: this is why works are waited for in the
  // same order on every rank (work.h).
  return pending(move_all_to_all(host, shares, blocks, own_from_each), [this, tensor, host, blocks, shares, op] {
    const at::Tensor reduced = reduce_in_rank_order(blocks, size(), op);  // [own]
    // A transfer that is done on this rank has no more use for its input, so `host` can take the result.
    move_all_gather(reduced, shares, host)->wait(options().time_limit);
    if (!tensor.is_cpu()) write(tensor, host);
    return tensor;
  });
}

std::vector<std::string> HostCommunicator::do_exchange(const std::string& bytes) {
  // Beside the log and the traffic: checked mode and agree() use it within calls that are logged themselves.
  const auto length = static_cast<std::int64_t>(bytes.size());
  const at::Tensor own = at::empty({length}, at::kByte);
  if (length > 0) std::memcpy(own.mutable_data_ptr(), bytes.data(), bytes.size());
  const at::Tensor all = at::empty({size() * length}, at::kByte);
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), length);
  move_all_gather(own, rows, all)->wait(options().time_limit);
  std::vector<std::string> values;
  for (int rank = 0; rank < size(); ++rank) {
    const char* begin = static_cast<const char*>(all.const_data_ptr()) + rank * length;
    values.emplace_back(begin, bytes.size());
  }
  return values;
}

}  // namespace negatron
