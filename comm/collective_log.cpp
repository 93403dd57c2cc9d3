#include "comm/collective_log.h"

#include <cstdio>

namespace negatron {
namespace {

const char* name(CollectiveLog::State state) {
  switch (state) {
    case CollectiveLog::State::kStarted:
      return "started, not finished";
    case CollectiveLog::State::kDone:
      return "done";
    case CollectiveLog::State::kFailed:
      return "failed";
  }
  return "unknown";
}

}  // namespace

std::int64_t CollectiveLog::start(std::string operation, std::string arguments) {
  // The newest are kept: after a hang it is the last calls that tell ranks apart.
  if (entries_.size() == kCapacity) entries_.pop_front();
  entries_.push_back({next_sequence_, std::move(operation), std::move(arguments), State::kStarted, 0.0});
  return next_sequence_++;
}

void CollectiveLog::finish(std::int64_t sequence, State state, double seconds) {
  // Sequence numbers are consecutive; an entry that is gone was pushed out by later ones.
  if (entries_.empty() || sequence < entries_.front().sequence || sequence > entries_.back().sequence) return;
  Entry& entry = entries_[static_cast<std::size_t>(sequence - entries_.front().sequence)];
  entry.state = state;
  entry.seconds = seconds;
}

std::string CollectiveLog::text() const {
  std::string text;
  for (const Entry& entry : entries_) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f s", entry.seconds);
    text += "[rank " + std::to_string(rank_) + "] #" + std::to_string(entry.sequence) + " " + entry.operation +
            (entry.arguments.empty() ? "" : " " + entry.arguments) + ": " + name(entry.state);
    if (entry.state != State::kStarted) text += std::string(", ") + seconds;
    text += "\n";
  }
  return text;
}

}  // namespace negatron
