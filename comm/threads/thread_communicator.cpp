#include "comm/threads/thread_communicator.h"

#include <numeric>
#include <optional>
#include <thread>

#include "comm/error.h"
#include "comm/host_communicator.h"
#include "comm/threads/lone_communicator.h"
#include "comm/threads/thread_group.h"

namespace negatron {
namespace {

/// Inputs are copied when a collective starts, so that no rank waits for another to have read them.
at::Tensor deposited(const at::Tensor& tensor) {
  return tensor.clone();
}

void check_rows(const at::Tensor& tensor, std::int64_t rows, std::size_t rank) {
  if (tensor.size(0) == rows) return;
  throw CommError("rank " + std::to_string(rank) + " brought " + std::to_string(tensor.size(0)) + " rows instead of " +
                  std::to_string(rows));
}

class ThreadRollChannel : public RollChannel {
 public:
  ThreadRollChannel(ThreadJob& job, int rank) : job_(job), rank_(rank) {}

  void send(int rank, const std::string& text) override { job_.post(rank, {rank_, text}); }
  std::optional<Letter> receive() override { return job_.next_letter(rank_); }

 private:
  ThreadJob& job_;
  int rank_;
};

class ThreadCommunicator : public HostCommunicator {
 public:
  ThreadCommunicator(std::shared_ptr<ThreadGroup> group, int rank, const CommunicatorOptions& options,
                     std::shared_ptr<RollCall> roll_call)
      : HostCommunicator(rank, static_cast<int>(group->members().size()), options, std::move(roll_call)),
        group_(std::move(group)) {}

  const char* transport() const noexcept override { return "threads"; }

 private:
  HostTransferPtr move_broadcast(const at::Tensor& tensor, int root) override {
    const at::Tensor sent = rank() == root ? deposited(tensor) : at::Tensor();
    return group_->exchange(rank(), round_++, {sent, {}}, [tensor, root, rank = rank()](const auto& deposits) {
      if (rank != root) tensor.copy_(deposits[static_cast<std::size_t>(root)].tensor);
    });
  }

  HostTransferPtr move_all_gather(const at::Tensor& send, at::IntArrayRef rows, const at::Tensor& receive) override {
    return group_->exchange(rank(), round_++, {deposited(send), {}},
                            [rows = rows.vec(), receive](const auto& deposits) {
                              std::int64_t begin = 0;
                              for (std::size_t rank = 0; rank < rows.size(); ++rank) {
                                check_rows(deposits[rank].tensor, rows[rank], rank);
                                receive.narrow(0, begin, rows[rank]).copy_(deposits[rank].tensor);
                                begin += rows[rank];
                              }
                            });
  }

  HostTransferPtr move_all_to_all(const at::Tensor& send, at::IntArrayRef send_rows, const at::Tensor& receive,
                                  at::IntArrayRef receive_rows) override {
    return group_->exchange(
        rank(), round_++, {deposited(send), send_rows.vec()},
        [receive_rows = receive_rows.vec(), receive, own = rank()](const auto& deposits) {
          std::int64_t begin = 0;
          for (std::size_t rank = 0; rank < receive_rows.size(); ++rank) {
            // Where the own block begins in what that rank deposited is a matter of what it sends to the ranks before
            // this one.
            const auto& sent = deposits[rank].rows;
            const std::int64_t offset = std::accumulate(sent.begin(), sent.begin() + own, std::int64_t{0});
            const at::Tensor block = deposits[rank].tensor.narrow(0, offset, sent[static_cast<std::size_t>(own)]);
            check_rows(block, receive_rows[rank], rank);
            receive.narrow(0, begin, receive_rows[rank]).copy_(block);
            begin += receive_rows[rank];
          }
        });
  }

  std::unique_ptr<Communicator> do_split(int color, const std::vector<int>& members) override {
    std::vector<int> job_ranks;
    for (const int member : members) job_ranks.push_back(group_->members()[static_cast<std::size_t>(member)]);
    // Members find each other by name, "all/0:1" for color 1 of the first split of "all". The number of the split keeps
    // a later split with the same color apart; all members count alike, as splits are collective.
    const std::string name = group_->name() + "/" + std::to_string(splits_++) + ":" + std::to_string(color);
    const auto own = std::find(members.begin(), members.end(), rank()) - members.begin();
    return std::make_unique<ThreadCommunicator>(group_->job().group(name, job_ranks), static_cast<int>(own), options(),
                                                roll_call());
  }

  std::shared_ptr<ThreadGroup> group_;
  std::int64_t round_ = 0;
  std::int64_t splits_ = 0;
};

/// Made before the communicator that refers to it, and destroyed after it.
struct OwnedJob {
  ThreadJob job{1};
};

class LoneCommunicator : private OwnedJob, public ThreadCommunicator {
 public:
  explicit LoneCommunicator(const CommunicatorOptions& options)
      : ThreadCommunicator(
            job.group("alone", {0}), 0, options,
            std::make_shared<RollCall>(0, std::vector<std::string>(1), std::make_unique<ThreadRollChannel>(job, 0))) {}

  const char* transport() const noexcept override { return "alone"; }
};

/// What a rank's exception says, with its rank unless it says so itself.
std::string with_rank(int rank, const std::exception& error) {
  const std::string text = error.what();
  const std::string prefix = "rank " + std::to_string(rank);
  return text.rfind(prefix, 0) == 0 ? text : prefix + ": " + text;
}

[[noreturn]] void rethrow_with_rank(int rank, const std::exception_ptr& failure) {
  // One handler a class, the derived ones first: what a test or a caller catches around run_ranks() must be what the
  // rank threw.
  try {
    std::rethrow_exception(failure);
  } catch (const TimeoutError& error) {
    throw TimeoutError(with_rank(rank, error));
  } catch (const DisagreementError& error) {
    throw DisagreementError(with_rank(rank, error), error.ranks());
  } catch (const BrokenGroupError& error) {
    throw BrokenGroupError(with_rank(rank, error));
  } catch (const CommError& error) {
    throw CommError(with_rank(rank, error));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(with_rank(rank, error));
  } catch (const std::exception& error) {
    throw std::runtime_error(with_rank(rank, error));
  }
}

/// The failure that came first in time: those of the other ranks follow from it.
struct FirstFailure {
  std::mutex mutex;
  std::optional<int> rank;
  std::exception_ptr exception;

  /// Called within a catch block.
  void record(int failed_rank) {
    const std::lock_guard lock(mutex);
    if (rank) return;
    rank = failed_rank;
    exception = std::current_exception();
  }
};

void run_rank(ThreadJob& job, const std::shared_ptr<ThreadGroup>& group, int rank, const CommunicatorOptions& options,
              const std::function<void(Communicator&)>& body, FirstFailure& failure) {
  try {
    // Threads are on one host, whose name says nothing.
    std::vector<std::string> hosts(group->members().size());
    ThreadCommunicator communicator(
        group, rank, options,
        std::make_shared<RollCall>(rank, std::move(hosts), std::make_unique<ThreadRollChannel>(job, rank)));
    body(communicator);
  } catch (const std::exception& error) {
    // Recorded before others are woken: their BrokenGroupError must not come first.
    failure.record(rank);
    job.break_off("rank " + std::to_string(rank) + " failed first: " + error.what());
  }
  // Also after a failure. A rank that returned normally while others still wait for it is an error of its own, which
  // only shows because it says that it has left.
  job.leave(rank);
}

}  // namespace

void run_ranks(int ranks, const CommunicatorOptions& options, const std::function<void(Communicator&)>& body) {
  if (ranks < 1) throw std::invalid_argument("run_ranks needs at least one rank, got " + std::to_string(ranks));
  ThreadJob job(ranks);
  std::vector<int> members(static_cast<std::size_t>(ranks));
  std::iota(members.begin(), members.end(), 0);
  const std::shared_ptr<ThreadGroup> group = job.group("all", members);
  FirstFailure failure;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] { run_rank(job, group, rank, options, body, failure); });
  }
  // Threads refer to what lives on this stack; all of them end before anything is thrown from here.
  for (std::thread& thread : threads) thread.join();
  if (failure.rank) rethrow_with_rank(*failure.rank, failure.exception);
}

std::unique_ptr<Communicator> make_lone_communicator(const CommunicatorOptions& options) {
  return std::make_unique<LoneCommunicator>(options);
}

}  // namespace negatron
