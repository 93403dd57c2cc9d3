#include "comm/roll_call/roll_call.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "comm/roll_call/rank_ranges.h"

namespace negatron {
namespace {

using Clock = std::chrono::steady_clock;

// The first character of a letter.
constexpr char kCall = 'c';
constexpr char kQuestion = 'q';
constexpr char kAnswer = 'a';
constexpr char kResult = 'r';

constexpr std::chrono::milliseconds kNapBetweenLetters{1};
/// Of a cluster that lost a switch, the first names say enough.
constexpr std::size_t kMostNames = 16;

std::string and_more(std::size_t count) {
  return count > kMostNames ? " and " + std::to_string(count - kMostNames) + " more" : std::string();
}

}  // namespace

RollCall::RollCall(int rank, std::vector<std::string> hosts, std::unique_ptr<RollChannel> channel)
    : rank_(rank), hosts_(std::move(hosts)), channel_(std::move(channel)) {}

std::string RollCall::name_of(int rank) const {
  const std::string& host = hosts_[static_cast<std::size_t>(rank)];
  return "rank " + std::to_string(rank) + (host.empty() ? "" : " on " + host);
}

bool RollCall::called() {
  while (const auto letter = channel_->receive()) read(*letter);
  return called_ || result_;
}

void RollCall::read(const RollChannel::Letter& letter) {
  if (letter.text.empty()) return;
  switch (letter.text.front()) {
    case kCall:
      called_ = true;
      break;
    case kQuestion:
      asked_by_ = letter.from;
      channel_->send(letter.from, kAnswer + where_);
      break;
    case kResult:
      result_ = letter.text.substr(1);
      break;
    default:
      // An answer that comes after the asker has stopped listening.
      break;
  }
}

RollCall::Outcome RollCall::find_missing(std::chrono::milliseconds patience,
                                         const std::function<void(const std::string&)>& tell) {
  if (size() == 1) return {};
  called_ = false;
  if (result_) return {*std::exchange(result_, std::nullopt), ""};
  for (const int asker : {0, size() / 2}) {
    if (rank_ == asker) break;
    if (const auto result = ask_through(asker, patience)) return {*result, ""};
  }
  const Standings standings = hear_all(patience);
  // Those who called meanwhile are told below.
  called_ = false;
  Outcome outcome{missing_of(standings), table_of(standings, patience)};
  tell(outcome.table);
  for (int rank = 0; rank < size(); ++rank) {
    if (rank != rank_ && standings[static_cast<std::size_t>(rank)]) channel_->send(rank, kResult + outcome.missing);
  }
  return outcome;
}

std::optional<std::string> RollCall::ask_through(int asker, std::chrono::milliseconds patience) {
  asked_by_.reset();
  channel_->send(asker, std::string(1, kCall));
  // Its question shows that it is there, and then it listens for as long as this rank would.
  auto deadline = Clock::now() + patience;
  bool heard = false;
  while (Clock::now() < deadline) {
    called();
    if (result_) return std::exchange(result_, std::nullopt);
    if (!heard && asked_by_ == asker) {
      heard = true;
      deadline = Clock::now() + 2 * patience;
    }
    std::this_thread::sleep_for(kNapBetweenLetters);
  }
  return std::nullopt;
}

RollCall::Standings RollCall::hear_all(std::chrono::milliseconds patience) {
  Standings standings(hosts_.size());
  standings[static_cast<std::size_t>(rank_)] = where_;
  for (int rank = 0; rank < size(); ++rank) {
    if (rank != rank_) channel_->send(rank, std::string(1, kQuestion));
  }
  const auto deadline = Clock::now() + patience;
  const auto all_there = [&] { return std::all_of(standings.begin(), standings.end(), [](auto& s) { return !!s; }); };
  while (!all_there() && Clock::now() < deadline) {
    while (const auto letter = channel_->receive()) {
      const bool answers = !letter->text.empty() && letter->text.front() == kAnswer;
      if (answers) standings[static_cast<std::size_t>(letter->from)] = letter->text.substr(1);
      read(*letter);
    }
    std::this_thread::sleep_for(kNapBetweenLetters);
  }
  return standings;
}

std::string RollCall::missing_of(const Standings& standings) const {
  std::string names;
  std::size_t count = 0;
  for (int rank = 0; rank < size(); ++rank) {
    if (standings[static_cast<std::size_t>(rank)]) continue;
    if (++count <= kMostNames) names += (names.empty() ? "" : ", ") + name_of(rank);
  }
  if (count > 0) return "no answer from " + names + and_more(count);
  return "all ranks answered, so they make different calls";
}

std::string RollCall::table_of(const Standings& standings, std::chrono::milliseconds patience) const {
  std::map<std::string, std::vector<int>> ranks_by_standing;
  std::string missing;
  std::size_t count = 0;
  for (int rank = 0; rank < size(); ++rank) {
    if (const auto& standing = standings[static_cast<std::size_t>(rank)]) {
      ranks_by_standing[*standing].push_back(rank);
    } else if (++count <= kMostNames) {
      missing += "  " + name_of(rank) + ": no answer within " + std::to_string(patience.count()) +
                 " ms; it is stopped or gone, or busy with something else\n";
    }
  }
  std::string text = "where the ranks of this job are, asked by " + name_of(rank_) + ":\n";
  for (const auto& [standing, ranks] : ranks_by_standing) text += "  " + rank_ranges(ranks) + ": in " + standing + "\n";
  text += missing;
  if (count > kMostNames) text += " " + and_more(count) + " without an answer\n";
  return text;
}

}  // namespace negatron
