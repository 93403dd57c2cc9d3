#include "comm/nccl/nccl_communicator.h"

#include <nccl.h>

#include <exception>
#include <numeric>

#include "comm/call.h"
#include "comm/error.h"
#include "comm/nccl/cuda_stream.h"
#include "comm/nccl/nccl_bootstrap.h"
#include "comm/nccl/nccl_handle.h"
#include "comm/nccl/nccl_watchdog.h"
#include "comm/rank_texts.h"

namespace negatron {
namespace {

ncclDataType_t nccl_dtype(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble:
      return ncclFloat64;
    case at::kFloat:
      return ncclFloat32;
    case at::kBFloat16:
      return ncclBfloat16;
    case at::kHalf:
      return ncclFloat16;
    case at::kLong:
      return ncclInt64;
    case at::kInt:
      return ncclInt32;
    // NCCL has no bool; minimum and maximum of 0 and 1 are the same in bytes.
    case at::kByte:
    case at::kBool:
      return ncclUint8;
    default:
      throw CommError("NCCL has no type for tensors of " + std::string(c10::toString(tensor.scalar_type())));
  }
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return ncclSum;
    case ReduceOp::kMin:
      return ncclMin;
    case ReduceOp::kMax:
      return ncclMax;
  }
  throw CommError("unknown reduction");
}

std::size_t count(const at::Tensor& tensor) {
  return static_cast<std::size_t>(tensor.numel());
}

class NcclPending : public Work::Pending {
 public:
  NcclPending(NcclWatchdog& watchdog, int device, std::shared_ptr<CudaEvent> end, std::function<at::Tensor()> complete)
      : watchdog_(watchdog), device_(device), end_(std::move(end)), complete_(std::move(complete)) {}

  bool done() override {
    watchdog_.check();
    return end_->done();
  }

  at::Tensor finish() override {
    const CurrentDevice current(device_);
    // The host does not wait: what the caller queues from here on comes after the collective. A failure that shows
    // later is thrown by the next look at the watchdog.
    end_->make_current_stream_wait();
    watchdog_.check();
    return complete_();
  }

 private:
  NcclWatchdog& watchdog_;
  int device_;
  std::shared_ptr<CudaEvent> end_;
  // Holds the tensors of the operation.
  std::function<at::Tensor()> complete_;
};

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> side, int device, const CommunicatorOptions& options)
      : Communicator(side->rank(), side->size(), tensor_device(device), options, side->roll_call()),
        side_(std::move(side)),
        device_(device) {
    // Collective over the side channel, before NCCL, which would hang on a shared device or fail with an unclear
    // message. The same order on every rank: identities, the id, then joining.
    refuse_shared_device(*side_, device_);
    const std::string id = shared_nccl_id(*side_);
    const CurrentDevice current(device_);
    try {
      handle_ = std::make_unique<NcclHandle>(id, rank(), size(), this->options().time_limit);
    } catch (const TimeoutError& error) {
      throw TimeoutError(where() + error.what());
    } catch (const CommError& error) {
      throw CommError(where() + error.what());
    }
    stream_ = make_cuda_stream(device_);
    watchdog_ = std::make_unique<NcclWatchdog>(*handle_, this->options().time_limit);
  }

  ~NcclCommunicator() override {
    // The other ranks may never come to finalize with this one.
    if (std::uncaught_exceptions() == 0) return;
    const std::lock_guard outside_nccl(watchdog_->nccl_mutex());
    handle_->abort();
  }

  const char* transport() const noexcept override { return "nccl"; }

 private:
  std::string where() const {
    return "rank " + std::to_string(rank()) + " of " + std::to_string(size()) + ", joining an NCCL group with device " +
           std::to_string(device_) + ": ";
  }

  PendingPtr do_barrier() override {
    // Of the hosts: there is nothing on the device that could be waited for.
    side_->barrier();
    return issue(
        {}, [] {}, [] { return at::Tensor(); });
  }

  PendingPtr do_broadcast(const at::Tensor& tensor, int root) override {
    return issue(
        {tensor},
        [&] {
          check(ncclBroadcast(tensor.const_data_ptr(), tensor.mutable_data_ptr(), count(tensor), nccl_dtype(tensor),
                              root, handle_->get(), stream()),
                "ncclBroadcast");
        },
        [tensor] { return tensor; });
  }

  PendingPtr do_all_reduce(const at::Tensor& tensor, ReduceOp op) override {
    const at::Tensor wide = widened(tensor, op);
    return issue(
        {tensor, wide},
        [&] {
          check(ncclAllReduce(wide.const_data_ptr(), wide.mutable_data_ptr(), count(wide), nccl_dtype(wide),
                              nccl_op(op), handle_->get(), stream()),
                "ncclAllReduce");
        },
        [tensor, wide] {
          // Runs in `wait`, on the caller's stream, which by then waits for the sum: ATen queues nothing on the
          // communicator's.
          if (!wide.is_same(tensor)) tensor.detach().copy_(wide);
          return tensor;
        });
  }

  PendingPtr do_reduce_scatter(const at::Tensor& tensor, ReduceOp op) override {
    const at::Tensor wide = widened(tensor, op);
    const at::Tensor block = rows_like(wide, tensor.size(0) / size());
    return issue(
        {wide, block},
        [&] {
          check(ncclReduceScatter(wide.const_data_ptr(), block.mutable_data_ptr(), count(block), nccl_dtype(wide),
                                  nccl_op(op), handle_->get(), stream()),
                "ncclReduceScatter");
        },
        [wide, block, dtype = tensor.scalar_type()] { return block.to(dtype); });
  }

  PendingPtr do_all_gather(const at::Tensor& tensor, at::IntArrayRef rows) override {
    const at::Tensor gathered = rows_like(tensor, std::accumulate(rows.begin(), rows.end(), std::int64_t{0}));
    const bool even = std::all_of(rows.begin(), rows.end(), [&](std::int64_t count) { return count == rows[0]; });
    return issue(
        {tensor, gathered},
        [&] {
          if (even) {
            check(ncclAllGather(tensor.const_data_ptr(), gathered.mutable_data_ptr(), count(tensor), nccl_dtype(tensor),
                                handle_->get(), stream()),
                  "ncclAllGather");
            return;
          }
          // NCCL gathers equal blocks only. Ragged ones are a group of sends and receives, a rank's own block to itself
          // included.
          for (int peer = 0; peer < size(); ++peer) send(tensor, peer);
          receive_blocks(gathered, rows);
        },
        [tensor, gathered] { return gathered; });
  }

  PendingPtr do_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows) override {
    const at::Tensor received =
        rows_like(tensor, std::accumulate(receive_rows.begin(), receive_rows.end(), std::int64_t{0}));
    return issue(
        {tensor, received},
        [&] {
          std::int64_t begin = 0;
          for (int peer = 0; peer < size(); ++peer) {
            const std::int64_t rows = send_rows[static_cast<std::size_t>(peer)];
            send(tensor.narrow(0, begin, rows), peer);
            begin += rows;
          }
          receive_blocks(received, receive_rows);
        },
        [tensor, received] { return received; });
  }

  std::unique_ptr<Communicator> do_split(int color, const std::vector<int>&) override {
    // The side channel is split by all ranks; then each new group joins NCCL for itself, which needs nothing of the
    // other groups.
    return std::make_unique<NcclCommunicator>(side_->split(color), device_, options());
  }

  std::vector<std::string> do_exchange(const std::string& bytes) override { return gather_equal_texts(*side_, bytes); }

  /// NCCL adds in the type that it is given.
  static at::Tensor widened(const at::Tensor& tensor, ReduceOp op) {
    const bool narrow = tensor.scalar_type() == at::kBFloat16 || tensor.scalar_type() == at::kHalf;
    return narrow && op == ReduceOp::kSum ? tensor.detach().to(at::kFloat) : tensor;
  }

  static at::Tensor rows_like(const at::Tensor& tensor, std::int64_t rows) {
    std::vector<std::int64_t> sizes = tensor.sizes().vec();
    sizes.front() = rows;
    return at::empty(sizes, tensor.options());
  }

  /// Within a group, like receive_blocks: alone, two ranks that send to each other first would wait for ever.
  void send(const at::Tensor& block, int peer) {
    if (block.numel() == 0) return;
    check(ncclSend(block.const_data_ptr(), count(block), nccl_dtype(block), peer, handle_->get(), stream()),
          "ncclSend");
  }

  void receive_blocks(const at::Tensor& target, at::IntArrayRef rows) {
    std::int64_t begin = 0;
    for (int peer = 0; peer < size(); ++peer) {
      const at::Tensor block = target.narrow(0, begin, rows[static_cast<std::size_t>(peer)]);
      begin += block.size(0);
      if (block.numel() == 0) continue;
      check(ncclRecv(block.mutable_data_ptr(), count(block), nccl_dtype(block), peer, handle_->get(), stream()),
            "ncclRecv");
    }
  }

  /// Queues `calls` as one group behind the caller's current stream. `tensors` are what the device reads and writes.
  PendingPtr issue(const std::vector<at::Tensor>& tensors, const std::function<void()>& calls,
                   std::function<at::Tensor()> complete) {
    const CurrentDevice current(device_);
    // Inputs may still be in the making on the caller's stream, and the memory of the outputs may still be read there.
    stream_->wait_for_current_stream();
    run_group(calls);
    for (const at::Tensor& tensor : tensors) stream_->keep(tensor);
    std::shared_ptr<CudaEvent> end = stream_->record();
    watchdog_->watch(end);
    return std::make_unique<NcclPending>(*watchdog_, device_, std::move(end), std::move(complete));
  }

  void run_group(const std::function<void()>& calls) {
    const std::lock_guard inside_nccl(watchdog_->nccl_mutex());
    // With the lock held: the group is not aborted between this look and its use.
    watchdog_->check();
    check(ncclGroupStart(), "ncclGroupStart");
    try {
      calls();
    } catch (...) {
      // An open group would swallow every later call of this thread.
      ncclGroupEnd();
      throw;
    }
    check(ncclGroupEnd(), "ncclGroupEnd");
    try {
      // A communicator that does not block may still be setting up connections: until it says otherwise the calls are
      // not on the stream, and an event recorded now would be done before them.
      handle_->settle("ncclGroupEnd");
    } catch (...) {
      handle_->abort();
      throw;
    }
  }

  void check(ncclResult_t code, const char* function) const { handle_->check(code, function); }
  cudaStream_t stream() const { return static_cast<cudaStream_t>(stream_->handle()); }

  std::unique_ptr<Communicator> side_;
  int device_;
  // In this order: the watchdog goes first, the communicator last.
  std::unique_ptr<NcclHandle> handle_;
  std::unique_ptr<CudaStream> stream_;
  std::unique_ptr<NcclWatchdog> watchdog_;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(Communicator& bootstrap, int device,
                                                     const CommunicatorOptions& options) {
  // A group of its own, so that neither log nor traffic of the caller's shows what NCCL needs.
  return std::make_unique<NcclCommunicator>(bootstrap.split(0), device, options);
}

}  // namespace negatron
