#include "comm/process_group/process_group_communicator.h"

#include <sys/utsname.h>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "comm/call.h"
#include "comm/error.h"
#include "comm/host_communicator.h"
#include "comm/process_group/split_process_group.h"
#include "comm/process_group/store_roll_channel.h"
#include "comm/process_group/work_completion.h"

namespace negatron {
namespace {

using ProcessGroupPtr = c10::intrusive_ptr<c10d::ProcessGroup>;
using WorkPtr = c10::intrusive_ptr<c10d::Work>;

/// The first line of what torch says; below it stands where in its sources that was.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

/// Runs a call of torch.distributed; its errors become ours.
template <typename Call>
auto calling_torch(const char* name, const Call& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw CommError(std::string(name) + ": " + first_line(error));
  }
}

/// The tensor's memory as [rows, bytes of a row]: backends know fewer dtypes than we move, and reduce nothing here.
at::Tensor as_bytes(const at::Tensor& tensor) {
  const std::int64_t rows = tensor.dim() == 0 ? 1 : tensor.size(0);
  // An address for an empty tensor as well, which has none of its own.
  if (tensor.numel() == 0) return at::empty({rows, 0}, at::kByte);
  return at::from_blob(tensor.mutable_data_ptr(), {rows, row_bytes(tensor)}, at::kByte);
}

class ProcessGroupTransfer : public HostTransfer {
 public:
  /// `held` are the tensors that the transfer reads and writes, and whose memory it sees as bytes. `complete` runs once
  /// when all bytes are there.
  ProcessGroupTransfer(WorkPtr work, std::vector<at::Tensor> held, std::function<void()> complete = {})
      : work_(std::move(work)), held_(std::move(held)), complete_(std::move(complete)) {}

  ~ProcessGroupTransfer() override {
    // What is not done may still be written to by the backend's thread: its memory must never be freed.
    if (work_ != nullptr) [[maybe_unused]]
      const auto* leaked = new std::vector<at::Tensor>(std::move(held_));
  }

  bool test() override {
    if (work_ == nullptr) return true;
    if (!work_->isCompleted()) return false;
    const WorkPtr work = std::exchange(work_, nullptr);
    // Throws what went wrong.
    calling_torch("torch.distributed", [&] { return work->wait(); });
    if (complete_) std::exchange(complete_, nullptr)();
    return true;
  }

  // The bytes come by threads of the backend, which want a core: a rank that looks and yields, as others do, keeps them
  // from it for milliseconds where ranks have as many threads as there are cores. So this one sleeps.
  bool wait(std::chrono::milliseconds slice) override {
    const std::shared_ptr<WorkCompletion> completion = work_ != nullptr ? completion_of(*work_) : nullptr;
    if (completion != nullptr && !completion->wait(slice)) return test();
    // A future tells just before its work is done.
    return HostTransfer::wait(slice);
  }

 private:
  WorkPtr work_;
  std::vector<at::Tensor> held_;
  std::function<void()> complete_;
};

/// Nothing to move.
class NoTransfer : public HostTransfer {
 public:
  bool test() override { return true; }
};

class ProcessGroupCommunicator : public HostCommunicator {
 public:
  /// `job` is the same for all groups that come of one, and no other's.
  ProcessGroupCommunicator(ProcessGroupPtr group, std::string job, const CommunicatorOptions& options,
                           std::shared_ptr<RollCall> roll_call)
      : HostCommunicator(group->getRank(), group->getSize(), options, std::move(roll_call)),
        group_(std::move(group)),
        job_(std::move(job)) {}

  const char* transport() const noexcept override { return "torch"; }

 private:
  HostTransferPtr move_broadcast(const at::Tensor& tensor, int root) override {
    if (tensor.numel() == 0) return std::make_unique<NoTransfer>();
    std::vector<at::Tensor> bytes{as_bytes(tensor)};
    c10d::BroadcastOptions broadcast;
    broadcast.rootRank = root;
    WorkPtr work = calling_torch("broadcast", [&] { return group_->broadcast(bytes, broadcast); });
    return std::make_unique<ProcessGroupTransfer>(std::move(work), std::vector<at::Tensor>{tensor, bytes.front()});
  }

  // Backends gather as many bytes from each rank. Where ranks bring different numbers of rows, each brings as many as
  // the longest, and what is too much is left out when all are there.
  // Example: rows 3, 1, 2. Each rank sends 3 rows; of the 9 that come, rows 0 to 2, 3, 6 and 7 are those that count.
  HostTransferPtr move_all_gather(const at::Tensor& send, at::IntArrayRef rows, const at::Tensor& receive) override {
    const std::int64_t most = *std::max_element(rows.begin(), rows.end());
    at::Tensor own = as_bytes(send);
    at::Tensor all = as_bytes(receive);
    if (most * row_bytes(send) == 0) return std::make_unique<NoTransfer>();
    if (std::all_of(rows.begin(), rows.end(), [most](std::int64_t count) { return count == most; })) {
      return gather(send, receive, own, all, {});
    }
    at::Tensor padded = at::zeros({most, row_bytes(send)}, at::kByte);
    if (own.numel() > 0) padded.narrow(0, 0, own.size(0)).copy_(own);
    at::Tensor gathered = at::empty({size() * most, row_bytes(send)}, at::kByte);
    return gather(send, receive, padded, gathered, [all, gathered, most, rows = rows.vec()] {
      std::int64_t begin = 0;
      for (std::size_t rank = 0; rank < rows.size(); ++rank) {
        all.narrow(0, begin, rows[rank]).copy_(gathered.narrow(0, static_cast<std::int64_t>(rank) * most, rows[rank]));
        begin += rows[rank];
      }
    });
  }

  HostTransferPtr gather(const at::Tensor& send, const at::Tensor& receive, at::Tensor own, at::Tensor all,
                         std::function<void()> complete) {
    WorkPtr work = calling_torch("all_gather", [&] { return group_->_allgather_base(all, own); });
    return std::make_unique<ProcessGroupTransfer>(std::move(work), std::vector<at::Tensor>{send, receive, own, all},
                                                  std::move(complete));
  }

  HostTransferPtr move_all_to_all(const at::Tensor& send, at::IntArrayRef send_rows, const at::Tensor& receive,
                                  at::IntArrayRef receive_rows) override {
    at::Tensor own = as_bytes(send);
    at::Tensor all = as_bytes(receive);
    // Rows without bytes are none for every rank; rows of other ranks may be many where own ones are none.
    if (row_bytes(send) == 0) return std::make_unique<NoTransfer>();
    // The shape that a backend reads the bytes of a row from, also where there is no row.
    own = own.view({send.numel() == 0 ? 0 : own.size(0), row_bytes(send)});
    all = all.view({receive.numel() == 0 ? 0 : all.size(0), row_bytes(send)});
    std::vector<std::int64_t> from_each = receive_rows.vec();
    std::vector<std::int64_t> to_each = send_rows.vec();
    WorkPtr work = calling_torch("all_to_all", [&] { return group_->alltoall_base(all, own, from_each, to_each); });
    return std::make_unique<ProcessGroupTransfer>(std::move(work), std::vector<at::Tensor>{send, receive, own, all});
  }

  std::unique_ptr<Communicator> do_split(int color, const std::vector<int>& members) override {
    // The number of the split keeps a later one with the same members apart; all members count alike, as splits are
    // collective.
    const std::string name =
        group_->getGroupName() + ":negatron:" + job_ + ":" + std::to_string(splits_++) + ":" + std::to_string(color);
    ProcessGroupPtr part =
        calling_torch("splitting the group", [&] { return split_process_group(group_, members, name); });
    return std::make_unique<ProcessGroupCommunicator>(std::move(part), job_, options(), roll_call());
  }

  ProcessGroupPtr group_;
  const std::string job_;
  std::int64_t splits_ = 0;
};

/// What ranks tell each other when a communicator is made.
struct Introduction {
  /// Cut to what fits; ends with a 0 where it is shorter.
  std::array<char, 56> host{};
  /// How many communicators over groups the process had made before.
  std::int64_t made_before = 0;
};

std::atomic<std::int64_t> communicators_made{0};

/// Of every rank, [P]. Collective.
std::vector<Introduction> introductions_of(c10d::ProcessGroup& group) {
  Introduction introduction;
  utsname system{};
  uname(&system);
  const std::string_view name(system.nodename);
  name.copy(introduction.host.data(), introduction.host.size());
  introduction.made_before = communicators_made++;
  at::Tensor own = at::empty({static_cast<std::int64_t>(sizeof introduction)}, at::kByte);
  std::memcpy(own.mutable_data_ptr(), &introduction, sizeof introduction);
  at::Tensor all = at::empty({group.getSize() * own.size(0)}, at::kByte);
  calling_torch("all_gather", [&] { return group._allgather_base(all, own)->wait(); });
  std::vector<Introduction> introductions(static_cast<std::size_t>(group.getSize()));
  std::memcpy(introductions.data(), all.const_data_ptr(), static_cast<std::size_t>(all.numel()));
  return introductions;
}

}  // namespace

std::unique_ptr<Communicator> make_process_group_communicator(const std::string& group_name,
                                                              const CommunicatorOptions& options) {
  ProcessGroupPtr group = calling_torch("torch.distributed", [&] { return c10d::resolve_process_group(group_name); });
  try {
    group->getBackend(c10::DeviceType::CPU);
  } catch (const std::exception&) {
    throw CommError("the process group '" + group_name +
                    "' of torch.distributed has no backend for host tensors; make one with backend 'gloo'");
  }
  const std::vector<Introduction> introductions = introductions_of(*group);
  std::vector<std::string> hosts;
  for (const auto& [host, made_before] : introductions) {
    hosts.emplace_back(host.begin(), std::find(host.begin(), host.end(), '\0'));
  }
  // Rank 0's number, so that the letters of each communicator over a group are its own.
  const std::string job = std::to_string(introductions.front().made_before);
  auto roll_call = std::make_shared<RollCall>(group->getRank(), std::move(hosts),
                                              make_store_roll_channel(group_name, job, group->getRank()));
  return std::make_unique<ProcessGroupCommunicator>(std::move(group), job, options, std::move(roll_call));
}

}  // namespace negatron
