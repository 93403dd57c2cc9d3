#include "launch/rank_agreement.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "comm/rank_texts.h"
#include "launch/exit_code.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {
namespace {

/// Lines of one difference that are shown: more say no more.
constexpr std::size_t kShownLines = 5;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Those of `lines` that `others` has not, in quotes.
std::string lines_without(const std::vector<std::string>& lines, const std::vector<std::string>& others) {
  const std::set<std::string> known(others.begin(), others.end());
  std::string text;
  std::size_t count = 0;
  for (const std::string& line : lines) {
    if (known.contains(line)) continue;
    if (++count <= kShownLines) text += (text.empty() ? "'" : ", '") + line + "'";
  }
  if (count > kShownLines) text += " and " + std::to_string(count - kShownLines) + " more";
  return text.empty() ? "nothing of that" : text;
}

/// "rank 3 on host b", "ranks 2, 3 on hosts b, c".
std::string named_ranks(const std::vector<std::size_t>& ranks, const std::vector<std::string>& hosts) {
  std::string numbers, names;
  std::set<std::string> told;
  for (const std::size_t rank : ranks) {
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(rank);
    if (told.insert(hosts[rank]).second) names += (names.empty() ? "" : ", ") + hosts[rank];
  }
  return (ranks.size() == 1 ? "rank " : "ranks ") + numbers + (told.size() == 1 ? " on host " : " on hosts ") + names;
}

}  // namespace

RankAgreement::RankAgreement(Communicator& comm, const std::string& host)
    : comm_(comm), hosts_(gather_texts(comm, host)) {}

void RankAgreement::require(const std::string& what, const std::string& text) const {
  const std::vector<std::string> digests = gather_equal_texts(comm_, digest_of(text));
  if (std::all_of(digests.begin(), digests.end(), [&](const std::string& one) { return one == digests[0]; })) return;
  const std::vector<std::string> texts = gather_texts(comm_, text);
  // Ranks that differ in the same way are told once, in the order of the first of each.
  std::map<std::string, std::vector<std::size_t>> by_text;
  std::vector<std::string> order;
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    if (texts[rank] == texts[0]) continue;
    if (by_text[texts[rank]].empty()) order.push_back(texts[rank]);
    by_text[texts[rank]].push_back(rank);
  }
  std::string sentence = "the ranks differ in their " + what + ": ";
  const std::vector<std::string> first = lines_of(texts[0]);
  for (const std::string& other : order) {
    if (&other != &order.front()) sentence += "; ";
    sentence += named_ranks(by_text[other], hosts_) + (by_text[other].size() == 1 ? " has " : " have ") +
                lines_without(lines_of(other), first) + ", where rank 0 on host " + hosts_[0] + " has " +
                lines_without(first, lines_of(other));
  }
  // Every rank holds all texts, and so the same sentence.
  throw UsageError(sentence + ".");
}

}  // namespace negatron
