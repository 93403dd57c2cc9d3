#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace negatron {

enum class Severity {
  kWell,
  kWarning,  ///< a run works, but slower than it could, or not for ever
  kBroken    ///< a run will not work
};

/// One line of `negatron doctor`.
struct Finding {
  std::string what;
  std::string found;
  std::string expected;
  /// What to do; empty where all is well.
  std::string advice{};
  Severity severity = Severity::kWell;
};

using Findings = std::vector<Finding>;

/// What one rank contributes to a line about all of them.
struct RankVerdict {
  std::string found;
  std::string advice{};
  Severity severity = Severity::kWell;
};

/// One finding for all ranks of equal severity and advice, the well ones first, each saying which ranks found what:
/// "rank 1 on n2: 1 thread". `verdicts` and `hosts` are of all ranks, [P]. Local.
Findings findings_of_ranks(const std::string& what, const std::string& expected,
                           const std::vector<RankVerdict>& verdicts, const std::vector<std::string>& hosts);

/// "ok", "warning", "FAILED"; in JSON "ok", "warning", "failed". Local.
const char* name_of(Severity severity);
nlohmann::ordered_json json_of(const Finding& finding);
/// "FAILED   run directory: FOUND; expected EXPECTED; do: ADVICE". One line without its end. Local.
std::string text_of(const Finding& finding);

}  // namespace negatron
