#include "comm/host_communicator.h"

#include <cstring>
#include <numeric>

#include "comm/call.h"
#include "comm/error.h"
#include "comm/farewell.h"
#include "comm/rank_order_reduction.h"
#include "comm/roll_call/interruption.h"
#include "comm/share.h"

namespace negatron {
namespace {

// Below this, one all-gather of everything is cheaper than the two latencies of reduce-scatter and all-gather.
constexpr std::size_t kOnePhaseBytes = 4096;

/// How often a rank that waits looks for what the others ask it.
constexpr std::chrono::milliseconds kLetterEvery{100};
/// A slice takes no longer than this, unless the process stood still meanwhile.
constexpr std::chrono::milliseconds kMostOfASlice{1000};

/// An uninitialized tensor of `rows` rows like those of `like`.
at::Tensor rows_like(const at::Tensor& like, std::int64_t rows) {
  std::vector<std::int64_t> sizes = like.sizes().vec();
  // A scalar has no first dimension to change; gathered scalars are a list.
  if (sizes.empty()) sizes.push_back(rows);
  sizes.front() = rows;
  return at::empty(sizes, like.options().requires_grad(false));
}

/// Into the caller's tensor, without a trace in autograd: communication is differentiated by hand.
void write(const at::Tensor& target, const at::Tensor& value) {
  target.detach().copy_(value.view(target.sizes()));
}

}  // namespace

/// The transfer, then what is left to do on this rank.
class HostCommunicator::HostPending : public Work::Pending {
 public:
  HostPending(HostCommunicator& communicator, HostTransferPtr transfer, std::function<at::Tensor()> complete)
      : communicator_(communicator), transfer_(std::move(transfer)), complete_(std::move(complete)) {}

  bool done() override { return transfer_->test(); }

  at::Tensor finish() override {
    communicator_.await(*transfer_);
    return complete_();
  }

 private:
  HostCommunicator& communicator_;
  HostTransferPtr transfer_;
  std::function<at::Tensor()> complete_;
};

HostCommunicator::PendingPtr HostCommunicator::pending(HostTransferPtr transfer, std::function<at::Tensor()> complete) {
  return std::make_unique<HostPending>(*this, std::move(transfer), std::move(complete));
}

void HostCommunicator::await(HostTransfer& transfer) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::milliseconds limit = options().time_limit;
  const std::chrono::milliseconds slice = std::min(limit, kLetterEvery);
  Clock::duration waited{0};
  Clock::time_point before = Clock::now();
  while (!transfer.wait(slice)) {
    const Clock::time_point now = Clock::now();
    // A process that was stopped and goes on (SIGSTOP, scontrol suspend) must not take its own absence for that of
    // others: of one slice, no more counts than a slice can take.
    waited += std::min<Clock::duration>(now - before, kMostOfASlice);
    before = now;
    if (waited >= limit) throw_timeout(limit);
    if (waited >= farewell().patience(limit)) {
      throw TimeoutError("given up, as this process was told to end and another rank does not come");
    }
    if (is_interrupted()) throw TimeoutError("given up, as this process was interrupted");
    if (roll_call()->called()) throw TimeoutError("given up, as another rank has waited longer than its time limit");
  }
  farewell().count(waited + (Clock::now() - before));
}

HostCommunicator::PendingPtr HostCommunicator::do_barrier() {
  // A gather of one byte each: no rank can have all of them before all have entered.
  const at::Tensor token = at::zeros({1}, at::kByte);
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), 1);
  return pending(move_all_gather(token, rows, rows_like(token, size())), [] { return at::Tensor(); });
}

HostCommunicator::PendingPtr HostCommunicator::do_broadcast(const at::Tensor& tensor, int root) {
  return pending(move_broadcast(tensor.detach(), root), [tensor] { return tensor; });
}

HostCommunicator::PendingPtr HostCommunicator::do_all_gather(const at::Tensor& tensor, at::IntArrayRef rows) {
  const at::Tensor gathered = rows_like(tensor, total_rows(rows));
  return pending(move_all_gather(tensor.detach(), rows, gathered), [gathered] { return gathered; });
}

HostCommunicator::PendingPtr HostCommunicator::do_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows,
                                                             at::IntArrayRef receive_rows) {
  const at::Tensor received = rows_like(tensor, total_rows(receive_rows));
  return pending(move_all_to_all(tensor.detach(), send_rows, received, receive_rows), [received] { return received; });
}

HostCommunicator::PendingPtr HostCommunicator::do_reduce_scatter(const at::Tensor& tensor, ReduceOp op) {
  const at::Tensor blocks = rows_like(tensor, tensor.size(0));
  // Each rank receives its own block from all, [P n] in rank order, and sums them itself: a sum that a transport takes
  // on the way has an order that nobody promises.
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), tensor.size(0) / size());
  return pending(move_all_to_all(tensor.detach(), rows, blocks, rows),
                 [blocks, op, ranks = size()] { return reduce_in_rank_order(blocks, ranks, op); });
}

HostCommunicator::PendingPtr HostCommunicator::do_all_reduce(const at::Tensor& tensor, ReduceOp op) {
  // Every element is the sum over ranks in rank order in both ways, so the size at which one gives way to the other
  // does not show in a result.
  //
  // Example with 3 ranks and 10 elements. In one phase each rank receives 30 elements and sums all 10. In two phases
  // the shares are 4, 3, 3: rank 1 receives elements 4 to 6 of each rank, sums these three, and the sums of all are
  // gathered. Both give all ranks the same bits, because an element is summed either by one rank alone or by all alike.
  return tensor.nbytes() <= kOnePhaseBytes ? all_reduce_in_one_phase(tensor, op) : all_reduce_in_two_phases(tensor, op);
}

HostCommunicator::PendingPtr HostCommunicator::all_reduce_in_one_phase(const at::Tensor& tensor, ReduceOp op) {
  const at::Tensor elements = tensor.detach().view({-1});
  const at::Tensor blocks = rows_like(elements, size() * elements.size(0));  // [P*n]
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(size()), elements.size(0));
  return pending(move_all_gather(elements, rows, blocks), [tensor, blocks, op, ranks = size()] {
    write(tensor, reduce_in_rank_order(blocks, ranks, op));
    return tensor;
  });
}

HostCommunicator::PendingPtr HostCommunicator::all_reduce_in_two_phases(const at::Tensor& tensor, ReduceOp op) {
  const at::Tensor elements = tensor.detach().view({-1});
  const std::vector<std::int64_t> shares = share_sizes(elements.size(0), size());
  const std::int64_t own = shares[static_cast<std::size_t>(rank())];
  const std::vector<std::int64_t> own_from_each(static_cast<std::size_t>(size()), own);
  const at::Tensor blocks = rows_like(elements, size() * own);  // [P*own]
  // The second phase starts in the first one's completion, that is in `wait`: this is why works are waited for in the
  // same order on every rank (work.h).
  return pending(move_all_to_all(elements, shares, blocks, own_from_each),
                 [this, tensor, elements, blocks, shares, op] {
                   const at::Tensor reduced = reduce_in_rank_order(blocks, size(), op);  // [own]
                   // A transfer that is done on this rank has no more use for its input, so it can take the result.
                   await(*move_all_gather(reduced, shares, elements));
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
  await(*move_all_gather(own, rows, all));
  std::vector<std::string> values;
  for (int rank = 0; rank < size(); ++rank) {
    const char* begin = static_cast<const char*>(all.const_data_ptr()) + rank * length;
    values.emplace_back(begin, bytes.size());
  }
  return values;
}

}  // namespace negatron
