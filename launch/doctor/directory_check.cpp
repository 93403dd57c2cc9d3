#include "launch/doctor/directory_check.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "launch/doctor/quantity_text.h"

namespace negatron {
namespace {

constexpr const char* kDirectory = "directory";
/// Bytes a second of all ranks: a snapshot of some hundred MB in some ten seconds.
constexpr double kLeastRate = 20e6;
/// A few snapshots of a small run.
constexpr double kLeastSpace = 1024.0 * 1024.0 * 1024.0;

double sum_of(const std::vector<StepResult>& results) {
  return std::accumulate(results.begin(), results.end(), 0.0,
                         [](double sum, const StepResult& one) { return sum + one.value; });
}

/// Of a directory and what is asked of it.
struct Question {
  std::string expected;
  std::string advice;
};

/// True where every rank came through; else what stopped them is a finding.
bool all_came_through(const std::vector<StepResult>& results, const Question& question,
                      const std::vector<std::string>& hosts, Findings& findings) {
  std::vector<RankVerdict> verdicts;
  bool well = true;
  for (const StepResult& one : results) {
    well = well && one.error.empty();
    verdicts.push_back(one.error.empty() ? RankVerdict{"it works"}
                                         : RankVerdict{one.error, question.advice, Severity::kBroken});
  }
  if (well) return true;
  for (const Finding& one : findings_of_ranks(kDirectory, question.expected, verdicts, hosts)) {
    if (one.severity != Severity::kWell) findings.push_back(one);
  }
  return false;
}

Finding speed_finding(const std::string& what, const std::vector<StepResult>& results, const std::string& remark) {
  const double rate = sum_of(results);
  Finding finding{what, speed_text(rate) + " of all ranks" + remark, speed_text(kLeastRate) + " or more"};
  if (rate >= kLeastRate) return finding;
  finding.advice = "take a faster file system, or save less often (--snapshot-every)";
  finding.severity = Severity::kWarning;
  return finding;
}

Finding lock_finding(const std::vector<StepResult>& results) {
  const auto free =
      std::count_if(results.begin(), results.end(), [](const StepResult& one) { return one.value <= 0.0; });
  Finding finding{"locks", "a lock of rank 0 keeps all others out", "locks that hold between hosts"};
  if (free == 0) return finding;
  finding.found =
      "a lock of rank 0 does not keep out " + std::to_string(free) + " of " + std::to_string(results.size()) + " ranks";
  finding.advice =
      "nothing: a run then watches a lease in the lock file, and a start after a crash takes a minute more";
  finding.severity = Severity::kWarning;
  return finding;
}

Finding rename_finding(const std::vector<StepResult>& results) {
  const auto winners = static_cast<int>(sum_of(results));
  Finding finding{"renames", std::to_string(winners) + " of " + std::to_string(results.size()) + " ranks got one name",
                  "exactly one"};
  if (winners == 1) return finding;
  finding.advice = "take another file system: snapshots are committed by a rename";
  finding.severity = Severity::kBroken;
  return finding;
}

Finding space_finding(const std::vector<StepResult>& results) {
  const double least = std::min_element(results.begin(), results.end(), [](const StepResult& a, const StepResult& b) {
                         return a.value < b.value;
                       })->value;
  Finding finding{"room", memory_text(least) + " free", memory_text(kLeastSpace) + " or more"};
  if (least >= kLeastSpace) return finding;
  finding.advice = "make room, or name another directory";
  finding.severity = Severity::kWarning;
  return finding;
}

}  // namespace

Findings check_directory(Communicator& comm, const DirectoryTrial& trial, const std::vector<std::string>& hosts) {
  const std::string path = trial.path.string();
  const Question write{"'" + path + "' that every rank can write into",
                       "make it, on a file system that all hosts share, or name another by --run-dir"};
  const Question look{"one directory for all hosts",
                      "name one on a file system that all hosts share; '" + path + "' is another on each of these"};
  const Question use{"a file system that does what it is asked",
                     "see the file system there, or name another directory"};
  Findings findings;
  DirectorySteps steps(comm, trial);
  const std::vector<StepResult> written = steps.write();
  if (!all_came_through(written, write, hosts, findings)) return findings;
  if (!all_came_through(steps.look(), look, hosts, findings)) return findings;
  findings.push_back({kDirectory, "'" + path + "' is one for all ranks", look.expected});
  findings.push_back(speed_finding("writing", written, ""));
  const auto add = [&](const std::vector<StepResult>& results, const std::function<Finding()>& finding) {
    if (all_came_through(results, use, hosts, findings)) findings.push_back(finding());
  };
  const std::vector<StepResult> was_read = steps.read();
  add(was_read, [&] { return speed_finding("reading", was_read, comm.size() == 1 ? "" : ", what another wrote"); });
  const std::vector<StepResult> locked = steps.lock();
  add(locked, [&] { return lock_finding(locked); });
  const std::vector<StepResult> renamed = steps.rename();
  add(renamed, [&] { return rename_finding(renamed); });
  const std::vector<StepResult> space = steps.space();
  add(space, [&] { return space_finding(space); });
  return findings;
}

}  // namespace negatron
