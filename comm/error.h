#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace negatron {

/// Something cannot be done as asked: a flag, a value, a file. One sentence that names it and what was expected. What
/// fails while it runs throws something else.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A collective or its set-up went wrong. The message names rank, operation, sequence number and cause.
class CommError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A collective was waited for longer than the limit; the message ends with the collective log of this rank.
class TimeoutError : public CommError {
 public:
  using CommError::CommError;
};

/// Throws the TimeoutError of a wait that was given `limit`.
[[noreturn]] void throw_timeout(std::chrono::milliseconds limit);

/// Ranks hold different values where they must hold the same.
class DisagreementError : public CommError {
 public:
  DisagreementError(const std::string& message, std::vector<int> ranks)
      : CommError(message), ranks_(std::move(ranks)) {}
  /// The ranks that differ from rank 0.
  const std::vector<int>& ranks() const noexcept { return ranks_; }

 private:
  std::vector<int> ranks_;
};

/// Another rank of the group failed first, so this rank's collective cannot finish.
class BrokenGroupError : public CommError {
 public:
  using CommError::CommError;
};

}  // namespace negatron
