#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace negatron {

/// The last collectives of one rank: what is printed when one does not finish, because MPI itself never says which rank
/// is missing. Local; not thread-safe.
class CollectiveLog {
 public:
  enum class State { kStarted, kDone, kFailed };

  struct Entry {
    std::int64_t sequence = 0;
    std::string operation;
    /// dtype and shape, for example "fp32 [256, 128]"
    std::string arguments;
    State state = State::kStarted;
    double seconds = 0.0;
  };

  explicit CollectiveLog(int rank) : rank_(rank) {}

  /// Appends an entry and returns its sequence number, counted from 0 in each group.
  std::int64_t start(std::string operation, std::string arguments);
  void finish(std::int64_t sequence, State state, double seconds);

  std::int64_t next_sequence() const noexcept { return next_sequence_; }
  const std::deque<Entry>& entries() const noexcept { return entries_; }
  /// One line per entry, each prefixed "[rank r]", oldest first.
  std::string text() const;

 private:
  static constexpr std::size_t kCapacity = 32;
  int rank_;
  std::int64_t next_sequence_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace negatron
