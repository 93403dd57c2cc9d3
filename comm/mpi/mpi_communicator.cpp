#include <mpi.h>

#include <iostream>

#include "comm/call.h"
#include "comm/error.h"
#include "comm/host_communicator.h"
#include "comm/mpi/connection_limit.h"
#include "comm/mpi/environment.h"
#include "comm/mpi/mpi_check.h"
#include "comm/mpi/mpi_counts.h"

namespace negatron {
namespace {

/// Owns an MPI datatype of `bytes` bytes.
class RowType {
 public:
  explicit RowType(std::int64_t bytes) {
    if (bytes == 1) return;
    mpi_check(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type_), "MPI_Type_contiguous");
    mpi_check(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  // MPI keeps what a started operation needs of a freed type.
  ~RowType() {
    if (type_ != MPI_BYTE) MPI_Type_free(&type_);
  }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;

  MPI_Datatype get() const noexcept { return type_; }

 private:
  MPI_Datatype type_ = MPI_BYTE;
};

/// What MPI reads and writes until a request is done. The count arrays belong to it: MPI may read them late.
struct Buffers {
  at::Tensor send;
  at::Tensor receive;
  MpiCounts send_counts;
  MpiCounts receive_counts;
};

class MpiTransfer : public HostTransfer {
 public:
  explicit MpiTransfer(Buffers buffers) : buffers_(std::make_unique<Buffers>(std::move(buffers))) {}

  ~MpiTransfer() override {
    // A request that is not done (a time limit, an error) cannot be cancelled, and MPI may still write: its buffers
    // must never be freed.
    if (request_ != MPI_REQUEST_NULL) [[maybe_unused]]
      const Buffers* leaked = buffers_.release();
  }

  bool test() override {
    int done = 0;
    // As a rule MPI moves long messages only while somebody calls it, so a look is also what makes a transfer go on. Of
    // a request that is done it makes MPI_REQUEST_NULL, for which later looks are true at once.
    mpi_check(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  }

  Buffers& buffers() noexcept { return *buffers_; }
  MPI_Request* request() noexcept { return &request_; }

 private:
  std::unique_ptr<Buffers> buffers_;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

class MpiCommunicator : public HostCommunicator {
 public:
  /// Takes `handle` over.
  MpiCommunicator(MPI_Comm handle, int rank, int size, const CommunicatorOptions& options,
                  std::shared_ptr<RollCall> roll_call)
      : HostCommunicator(rank, size, options, std::move(roll_call)), handle_(handle) {}

  ~MpiCommunicator() override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    // Freeing is collective, and in a broken group not all ranks may come to it.
    if (finalized == 0 && broken().empty()) MPI_Comm_free(&handle_);
  }

  const char* transport() const noexcept override { return "mpi"; }

 private:
  HostTransferPtr move_broadcast(const at::Tensor& tensor, int root) override {
    const std::int64_t rows = tensor.dim() == 0 ? 1 : tensor.size(0);
    auto transfer = std::make_unique<MpiTransfer>(Buffers{tensor, {}, mpi_counts(rows, row_bytes(tensor)), {}});
    Buffers& buffers = transfer->buffers();
    const RowType type(buffers.send_counts.unit_bytes);
    mpi_check(MPI_Ibcast(tensor.mutable_data_ptr(), buffers.send_counts.counts.front(), type.get(), root, handle_,
                         transfer->request()),
              "MPI_Ibcast");
    return transfer;
  }

  HostTransferPtr move_all_gather(const at::Tensor& send, at::IntArrayRef rows, const at::Tensor& receive) override {
    auto transfer = std::make_unique<MpiTransfer>(
        Buffers{send, receive, mpi_counts(send.size(0), row_bytes(send)), mpi_counts(rows, row_bytes(send))});
    Buffers& buffers = transfer->buffers();
    const RowType send_type(buffers.send_counts.unit_bytes);
    const RowType receive_type(buffers.receive_counts.unit_bytes);
    mpi_check(
        MPI_Iallgatherv(send.const_data_ptr(), buffers.send_counts.counts.front(), send_type.get(),
                        receive.mutable_data_ptr(), buffers.receive_counts.counts.data(),
                        buffers.receive_counts.displacements.data(), receive_type.get(), handle_, transfer->request()),
        "MPI_Iallgatherv");
    return transfer;
  }

  HostTransferPtr move_all_to_all(const at::Tensor& send, at::IntArrayRef send_rows, const at::Tensor& receive,
                                  at::IntArrayRef receive_rows) override {
    auto transfer = std::make_unique<MpiTransfer>(
        Buffers{send, receive, mpi_counts(send_rows, row_bytes(send)), mpi_counts(receive_rows, row_bytes(send))});
    Buffers& buffers = transfer->buffers();
    const RowType send_type(buffers.send_counts.unit_bytes);
    const RowType receive_type(buffers.receive_counts.unit_bytes);
    mpi_check(MPI_Ialltoallv(send.const_data_ptr(), buffers.send_counts.counts.data(),
                             buffers.send_counts.displacements.data(), send_type.get(), receive.mutable_data_ptr(),
                             buffers.receive_counts.counts.data(), buffers.receive_counts.displacements.data(),
                             receive_type.get(), handle_, transfer->request()),
              "MPI_Ialltoallv");
    return transfer;
  }

  std::unique_ptr<Communicator> do_split(int color, const std::vector<int>& members) override {
    // MPI takes no negative colors; the smallest member names the group as well.
    const int group_name = members.front();
    // No key beyond the rank: members keep their order, as Communicator::split() says.
    MPI_Comm group = MPI_COMM_NULL;
    const ConnectionLimit limit(options().time_limit, "MPI_Comm_split");
    mpi_check(MPI_Comm_split(handle_, group_name, rank(), &group), "MPI_Comm_split");
    mpi_check(MPI_Comm_set_errhandler(group, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    int group_rank = 0;
    mpi_check(MPI_Comm_rank(group, &group_rank), "MPI_Comm_rank");
    static_cast<void>(color);
    return std::make_unique<MpiCommunicator>(group, group_rank, static_cast<int>(members.size()), options(),
                                             roll_call());
  }

  MPI_Comm handle_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(const Environment& environment,
                                                    const CommunicatorOptions& options) {
  // A copy of the world, so that messages of other libraries in this process cannot meet ours.
  MPI_Comm handle = MPI_COMM_NULL;
  const ConnectionLimit limit(options.time_limit, "MPI_Comm_dup");
  mpi_check(MPI_Comm_dup(MPI_COMM_WORLD, &handle), "MPI_Comm_dup");
  mpi_check(MPI_Comm_set_errhandler(handle, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  return std::make_unique<MpiCommunicator>(handle, environment.rank(), environment.size(), options,
                                           environment.roll_call());
}

}  // namespace negatron
