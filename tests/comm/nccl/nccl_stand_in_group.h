#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nccl.h>

namespace negatron::testing {

/// One call of a collective or of send or receive.
struct StandInCall {
  enum class Kind { kBroadcast, kAllReduce, kAllGather, kReduceScatter, kSend, kReceive };
  Kind kind;
  const void* send = nullptr;
  void* receive = nullptr;
  std::size_t count = 0;
  ncclDataType_t dtype = ncclFloat32;
  ncclRedOp_t op = ncclSum;
  /// Peer of send and receive, root of broadcast.
  int peer = -1;
};

/// The ranks of one NCCL id, as threads. Calls that a rank groups together are one unit, and the units of a rank run in
/// order: a collective when it is next on every rank, messages when they are next on both sides. Whoever completes
/// something runs it: nobody waits inside. Thread-safe.
class StandInGroup {
 public:
  explicit StandInGroup(int size) : queues_(static_cast<std::size_t>(size)) {}

  void join();
  bool complete() const;
  /// Returns how many units this rank has posted so far.
  long post(int rank, std::vector<StandInCall> unit);
  bool executed(int rank, long units) const;
  /// No unit runs any more: the buffers of an aborted rank may be gone.
  void abort();
  /// Empty, or what did not fit together.
  std::string error() const;

 private:
  using Unit = std::vector<StandInCall>;

  void run_ready_units();
  /// What is next on every rank is run and removed if it is the same collective everywhere. True when it was.
  bool run_collective();
  /// True when a message between what is next on `sender` and on `receiver` was run and removed.
  bool run_message(std::size_t sender, std::size_t receiver);
  void pop(std::size_t rank);

  mutable std::mutex mutex_;
  std::vector<std::deque<Unit>> queues_;
  std::vector<long> posted_ = std::vector<long>(queues_.size(), 0);
  std::vector<long> executed_ = std::vector<long>(queues_.size(), 0);
  std::size_t joined_ = 0;
  bool aborted_ = false;
  std::string error_;
};

}  // namespace negatron::testing
