// What a call that fails says, and what becomes of its group.

#include <algorithm>
#include <iostream>

#include "comm/communicator.h"
#include "comm/error.h"
#include "comm/standing.h"

namespace negatron {
namespace {

/// No step of a roll call takes longer: those who wait answer within milliseconds.
constexpr std::chrono::milliseconds kRollCallPatience{1000};

}  // namespace

std::string standing(const Call& call, std::int64_t sequence) {
  return std::string(call.operation) + " (#" + std::to_string(sequence) +
         (call.arguments.empty() ? "" : ", " + call.arguments) + ")";
}

void Communicator::refuse_when_broken() const {
  if (!broken_.empty()) throw BrokenGroupError(broken_);
}

std::string Communicator::break_off(const std::string& message, const std::string& log) {
  // At once, because whoever catches this may wait for others; in one write, so that ranks do not mix.
  const std::string name = "[" + roll_call_->name_of(roll_call_->rank()) + "] ";
  std::cerr << name + message + "\n" + name + "the last collectives of this rank:\n" + log + "\n" << std::flush;
  const std::chrono::milliseconds patience = std::min(options_.time_limit, kRollCallPatience);
  const RollCall::Outcome outcome =
      roll_call_->find_missing(patience, [&](const std::string& table) { std::cerr << name + table << std::flush; });
  broken_ = "a collective of this group was not finished before";
  return outcome.missing.empty() ? message : message + "; " + outcome.missing;
}

void Communicator::rethrow(std::int64_t sequence, const Call& call) {
  const std::string where =
      "rank " + std::to_string(rank_) + " of " + std::to_string(size_) + ", " + standing(call, sequence) + ": ";
  // Taken before the entry is marked, so that this call reads "started, not finished" in it.
  const std::string log = log_.text();
  log_.finish(sequence, CollectiveLog::State::kFailed, 0.0);
  try {
    // The class of the exception is part of the contract (callers tell a time-out from a disagreement by it), so each
    // is thrown again as what it was, with more words. What is none of ours becomes a CommError.
    throw;
  } catch (const TimeoutError& error) {
    throw TimeoutError(break_off(where + error.what(), log));
  } catch (const DisagreementError& error) {
    throw DisagreementError(where + error.what(), error.ranks());
  } catch (const BrokenGroupError& error) {
    throw BrokenGroupError(where + error.what());
  } catch (const std::exception& error) {
    throw CommError(where + error.what());
  }
}

}  // namespace negatron
