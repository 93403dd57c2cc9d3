// NCCL and CUDA streams over the stand-in device, with ranks as threads: linked into one test in place of libnccl and
// comm/nccl/cuda_stream.cpp, so that the whole of comm/nccl/nccl_communicator.cpp runs without a GPU. Strict where the
// real ones are silent: calls outside a group, before the communicator has settled, without ordering against the
// caller's stream, or on memory that nobody keeps, are errors.

#include "tests/comm/nccl/nccl_stand_in.h"

#include <atomic>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "comm/error.h"
#include "comm/nccl/cuda_stream.h"
#include "tests/comm/nccl/nccl_stand_in_group.h"
#include "tests/support/stand_in_device.h"

namespace {

using negatron::testing::StandInCall;
using negatron::testing::StandInGroup;

std::atomic<int> live{0};
std::atomic<int> aborted{0};
std::atomic<int> next_id{1};
std::mutex groups_mutex;
std::map<int, std::weak_ptr<StandInGroup>> groups;

/// What outlives ncclComm: events ask it.
struct Member {
  std::shared_ptr<StandInGroup> group;
  int rank = 0;
  std::atomic<bool> aborted{false};
};

}  // namespace

struct ncclComm {
  std::shared_ptr<Member> member;
  bool joining = true;
  // "In progress" is what a communicator that does not block says at least once after every group.
  std::atomic<int> in_progress{1};
  std::string last_error;
  std::vector<StandInCall> unit;
};

namespace {

class StandInStream;

class StandInEvent : public negatron::CudaEvent {
 public:
  StandInEvent(std::shared_ptr<Member> member, long units) : member_(std::move(member)), units_(units) {}

  bool done() override {
    return member_ == nullptr || member_->aborted || member_->group->executed(member_->rank, units_);
  }
  // The host is the caller's stream here.
  void make_current_stream_wait() override {
    while (!done()) std::this_thread::yield();
  }

 private:
  std::shared_ptr<Member> member_;
  long units_;
};

class StandInStream : public negatron::CudaStream {
 public:
  void* handle() const noexcept override { return const_cast<StandInStream*>(this); }
  void wait_for_current_stream() override { ordered_ = true; }
  void keep(const at::Tensor& tensor) override { kept_.insert(tensor.storage().data()); }

  std::shared_ptr<negatron::CudaEvent> record() override {
    for (const void* buffer : used_) {
      // The kept storage that begins at or before the buffer.
      if (kept_.upper_bound(buffer) == kept_.begin()) throw std::logic_error("a buffer is used but not kept");
    }
    used_.clear();
    kept_.clear();
    ordered_ = false;
    return std::make_shared<StandInEvent>(member_, units_);
  }

  bool ordered() const noexcept { return ordered_; }
  void use(const std::vector<StandInCall>& unit) {
    for (const StandInCall& call : unit) {
      if (call.count == 0) continue;
      for (const void* buffer : {call.send, static_cast<const void*>(call.receive)}) {
        if (buffer != nullptr) used_.push_back(buffer);
      }
    }
  }
  void queued(std::shared_ptr<Member> member, long units) {
    member_ = std::move(member);
    units_ = units;
  }

 private:
  bool ordered_ = false;
  std::set<const void*> kept_;
  std::vector<const void*> used_;
  std::shared_ptr<Member> member_;
  long units_ = 0;
};

thread_local int group_depth = 0;
thread_local std::map<ncclComm*, StandInStream*> open_units;

ncclResult_t refuse(ncclComm* comm, const char* reason) {
  comm->last_error = reason;
  return ncclInvalidUsage;
}

ncclResult_t add(ncclComm* comm, cudaStream_t stream, const StandInCall& call) {
  auto* stand_in = reinterpret_cast<StandInStream*>(stream);
  if (group_depth == 0) return refuse(comm, "a call outside a group");
  if (comm->joining || comm->in_progress > 0) return refuse(comm, "a call before the last one has settled");
  if (!stand_in->ordered()) return refuse(comm, "the stream does not wait for the caller's stream");
  comm->unit.push_back(call);
  open_units[comm] = stand_in;
  return ncclInProgress;
}

}  // namespace

namespace negatron::testing {

StandInState stand_in_state() {
  return {live, aborted};
}

}  // namespace negatron::testing

const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclInvalidUsage ? "invalid usage" : "internal error";
}

const char* ncclGetLastError(ncclComm_t comm) {
  return comm == nullptr ? "" : comm->last_error.c_str();
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const int number = next_id++;
  std::memset(id, 0, sizeof *id);
  std::memcpy(id->internal, &number, sizeof number);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  int number = 0;
  std::memcpy(&number, id.internal, sizeof number);
  *comm = new ncclComm;
  ++live;
  (*comm)->member = std::make_shared<Member>();
  (*comm)->member->rank = rank;
  if (config->blocking != 0) return refuse(*comm, "a blocking communicator may hang");
  const std::lock_guard lock(groups_mutex);
  std::shared_ptr<StandInGroup> group = groups[number].lock();
  if (group == nullptr) groups[number] = group = std::make_shared<StandInGroup>(size);
  (*comm)->member->group = group;
  group->join();
  return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  *state = ncclInProgress;
  if (comm->joining && !comm->member->group->complete()) return ncclSuccess;
  comm->joining = false;
  if (comm->in_progress > 0) {
    --comm->in_progress;
    return ncclSuccess;
  }
  comm->last_error = comm->member->group->error();
  *state = comm->last_error.empty() ? ncclSuccess : ncclInternalError;
  return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  comm->in_progress = 1;
  return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  --live;
  delete comm;
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  if (comm->member->group != nullptr) comm->member->group->abort();
  comm->member->aborted = true;
  ++aborted;
  --live;
  delete comm;
  return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
  ++group_depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (group_depth == 0) return ncclInvalidUsage;
  if (--group_depth > 0) return ncclSuccess;
  for (const auto& [comm, stream] : open_units) {
    stream->use(comm->unit);
    for (StandInCall& call : comm->unit) {
      call.send = negatron::testing::host_address(call.send);
      call.receive = negatron::testing::host_address(call.receive);
    }
    stream->queued(comm->member, comm->member->group->post(comm->member->rank, std::exchange(comm->unit, {})));
    comm->in_progress = 1;
  }
  open_units.clear();
  return ncclInProgress;
}

ncclResult_t ncclBroadcast(const void* send, void* receive, std::size_t count, ncclDataType_t dtype, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  return add(comm, stream, {StandInCall::Kind::kBroadcast, send, receive, count, dtype, ncclSum, root});
}

ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t dtype, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  return add(comm, stream, {StandInCall::Kind::kAllReduce, send, receive, count, dtype, op, -1});
}

ncclResult_t ncclReduceScatter(const void* send, void* receive, std::size_t count, ncclDataType_t dtype, ncclRedOp_t op,
                               ncclComm_t comm, cudaStream_t stream) {
  return add(comm, stream, {StandInCall::Kind::kReduceScatter, send, receive, count, dtype, op, -1});
}

ncclResult_t ncclAllGather(const void* send, void* receive, std::size_t count, ncclDataType_t dtype, ncclComm_t comm,
                           cudaStream_t stream) {
  return add(comm, stream, {StandInCall::Kind::kAllGather, send, receive, count, dtype, ncclSum, -1});
}

ncclResult_t ncclSend(const void* send, std::size_t count, ncclDataType_t dtype, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add(comm, stream, {StandInCall::Kind::kSend, send, nullptr, count, dtype, ncclSum, peer});
}

ncclResult_t ncclRecv(void* receive, std::size_t count, ncclDataType_t dtype, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add(comm, stream, {StandInCall::Kind::kReceive, nullptr, receive, count, dtype, ncclSum, peer});
}

namespace negatron {

at::Device tensor_device(int device) {
  return testing::stand_in_device(device);
}

std::string device_identity(int device) {
  if (device >= testing::kStandInDevices) throw CommError("no device " + std::to_string(device));
  return "stand-in device " + std::to_string(device);
}

std::unique_ptr<CudaStream> make_cuda_stream(int) {
  return std::make_unique<StandInStream>();
}

CurrentDevice::CurrentDevice(int device) : previous_(device) {}

CurrentDevice::~CurrentDevice() = default;

}  // namespace negatron
