#include "launch/doctor/finding.h"

#include <algorithm>
#include <tuple>

#include "launch/doctor/rank_groups.h"
#include "runtime/text/utf8_text.h"

namespace negatron {

Findings findings_of_ranks(const std::string& what, const std::string& expected,
                           const std::vector<RankVerdict>& verdicts, const std::vector<std::string>& hosts) {
  Findings findings;
  std::vector<std::pair<Severity, std::string>> kinds;
  for (const RankVerdict& verdict : verdicts) {
    const std::pair kind(verdict.severity, verdict.advice);
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [severity, advice] : kinds) {
    // Ranks of other kinds are silent in this line.
    std::vector<std::string> said;
    for (const RankVerdict& verdict : verdicts) {
      said.push_back(verdict.severity == severity && verdict.advice == advice ? verdict.found : std::string());
    }
    findings.push_back({what, said_by_ranks(said, hosts), expected, advice, severity});
  }
  return findings;
}

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::kWell:
      return "ok";
    case Severity::kWarning:
      return "warning";
    case Severity::kBroken:
      return "FAILED";
  }
  return "";
}

nlohmann::ordered_json json_of(const Finding& finding) {
  const bool broken = finding.severity == Severity::kBroken;
  nlohmann::ordered_json json;
  json["severity"] = broken ? "failed" : name_of(finding.severity);
  json["what"] = utf8_text(finding.what);
  json["found"] = utf8_text(finding.found);
  json["expected"] = utf8_text(finding.expected);
  if (!finding.advice.empty()) json["advice"] = utf8_text(finding.advice);
  return json;
}

std::string text_of(const Finding& finding) {
  constexpr std::size_t kColumn = 9;
  std::string line = name_of(finding.severity);
  line.resize(kColumn, ' ');
  line += finding.what + ": " + finding.found;
  if (!finding.expected.empty()) line += "; expected " + finding.expected;
  if (!finding.advice.empty()) line += "; do: " + finding.advice;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return terminal_text(line);
}

}  // namespace negatron
