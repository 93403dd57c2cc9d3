#pragma once

#include <optional>
#include <string>

namespace negatron {

/// What a rank can still say when a collective does not end: letters between the ranks of a job, beside all
/// collectives. Nothing here waits, and what is sent to a rank that is gone is lost without a word.
class RollChannel {
 public:
  struct Letter {
    int from = 0;
    std::string text;
  };

  virtual ~RollChannel() = default;
  /// `rank` is of the job.
  virtual void send(int rank, const std::string& text) = 0;
  /// The next letter to this rank, if one is there.
  virtual std::optional<Letter> receive() = 0;
};

}  // namespace negatron
