#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/roll_call/roll_channel.h"

namespace negatron {

/// Finds out, when a collective does not end, which ranks of the job are missing. Local, but for its letters; every
/// rank of a job has one, which all its groups share.
///
/// A rank *stands* in the operation that it waits for, and while it waits it reads its letters. A rank whose time is up
/// *calls* the asker, which is rank 0, or where that is silent the one in the middle, which as a rule is on another
/// host, or in the end the rank itself. The asker *asks* all ranks where they stand, says what it heard, and then tells
/// those who answered. Example of four ranks: rank 3 has stopped, and the time of rank 1 is up first. 1 calls 0; 0 asks
/// 1, 2 and 3; 1 and 2 answer "all_gather (#23)"; 0 prints that rank 3 did not answer, and tells 1 and 2. No rank waits
/// for a letter longer than it is told to.
class RollCall {
 public:
  /// What was heard.
  struct Outcome {
    /// In one sentence without a full stop, for the message of an error: "no answer from rank 3 on n2".
    std::string missing;
    /// Of the asker only: a line for the ranks of each standing and for each rank that is missing.
    std::string table;
  };

  /// `hosts`: of all ranks of the job, [P].
  RollCall(int rank, std::vector<std::string> hosts, std::unique_ptr<RollChannel> channel);

  /// "rank 3 on n2"; of a rank of the job. Without the host where it is not known.
  std::string name_of(int rank) const;
  int rank() const noexcept { return rank_; }

  /// Where this rank stands from now on: "all_gather (#23)".
  void stand(std::string where) { where_ = std::move(where); }
  /// Reads and answers letters, between two looks of a wait. True when another rank's time is up: then this wait ends
  /// as if its own time were.
  bool called();
  /// This rank's time is up. No step of it waits longer than `patience`. `tell` gets the table of an asker before any
  /// other rank learns of it, as those may end the job.
  Outcome find_missing(std::chrono::milliseconds patience, const std::function<void(const std::string&)>& tell);

 private:
  using Standings = std::vector<std::optional<std::string>>;

  int size() const noexcept { return static_cast<int>(hosts_.size()); }
  /// Answers a question, keeps a call and a result.
  void read(const RollChannel::Letter& letter);
  /// What the asker found; nothing when it is silent.
  std::optional<std::string> ask_through(int asker, std::chrono::milliseconds patience);
  Standings hear_all(std::chrono::milliseconds patience);
  std::string missing_of(const Standings& standings) const;
  std::string table_of(const Standings& standings, std::chrono::milliseconds patience) const;

  const int rank_;
  const std::vector<std::string> hosts_;
  const std::unique_ptr<RollChannel> channel_;
  std::string where_ = "no collective";
  bool called_ = false;
  std::optional<int> asked_by_;
  std::optional<std::string> result_;
};

}  // namespace negatron
