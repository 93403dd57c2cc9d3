#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/host_transfer.h"
#include "comm/roll_call/roll_channel.h"

namespace negatron {

class ThreadGroup;

/// What all threads of one run_ranks share: one lock, and who is still there. Thread-safe.
class ThreadJob {
 public:
  explicit ThreadJob(int ranks)
      : left_(static_cast<std::size_t>(ranks), false), letters_(static_cast<std::size_t>(ranks)) {}

  /// No collective of this job will finish any more; the first reason counts.
  void break_off(const std::string& reason);
  /// This rank (of the job) makes no more calls.
  void leave(int rank);
  /// Letters between ranks of the job, for its roll call.
  void post(int to, RollChannel::Letter letter);
  std::optional<RollChannel::Letter> next_letter(int rank);
  /// The group of this name: made by whoever asks first. `members` are ranks of the job.
  std::shared_ptr<ThreadGroup> group(const std::string& name, const std::vector<int>& members);

 private:
  friend class ThreadGroup;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string broken_;
  std::vector<bool> left_;
  std::vector<std::deque<RollChannel::Letter>> letters_;
  std::map<std::string, std::weak_ptr<ThreadGroup>> groups_;
};

/// The mailbox of a group: in round t every rank leaves one tensor, and may read those of all when all are there.
/// Thread-safe.
class ThreadGroup : public std::enable_shared_from_this<ThreadGroup> {
 public:
  struct Deposit {
    at::Tensor tensor;
    /// How many rows are for whom; all_to_all only.
    std::vector<std::int64_t> rows;
  };
  using Read = std::function<void(const std::vector<Deposit>&)>;

  ThreadGroup(ThreadJob& job, std::string name, std::vector<int> members)
      : job_(job), name_(std::move(name)), members_(std::move(members)) {}

  const std::string& name() const noexcept { return name_; }
  const std::vector<int>& members() const noexcept { return members_; }
  ThreadJob& job() const noexcept { return job_; }

  /// `rank` is that of this group. `read` runs once, on the thread that finds the round complete.
  HostTransferPtr exchange(int rank, std::int64_t round, Deposit deposit, Read read);

 private:
  struct Round {
    std::vector<Deposit> deposits;
    std::vector<bool> present;
    std::size_t posted = 0;
    std::size_t taken = 0;
  };
  class Transfer;

  /// Under the lock. The round when it is complete, else null; throws BrokenGroupError when it never will be.
  std::shared_ptr<Round> complete(std::int64_t round);

  ThreadJob& job_;
  const std::string name_;
  const std::vector<int> members_;
  std::map<std::int64_t, std::shared_ptr<Round>> rounds_;
};

}  // namespace negatron
