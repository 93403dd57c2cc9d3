#include "launch/doctor/doctor_report.h"

#include <algorithm>
#include <ostream>

#include "launch/exit_code.h"

namespace negatron {
namespace {

std::int64_t count_severe(const Findings& findings, Severity severity) {
  return std::count_if(findings.begin(), findings.end(),
                       [&](const Finding& finding) { return finding.severity == severity; });
}

void print_doctor_json(std::ostream& out, const Findings& findings) {
  nlohmann::ordered_json json;
  json["works"] = count_severe(findings, Severity::kBroken) == 0;
  json["failed"] = count_severe(findings, Severity::kBroken);
  json["warnings"] = count_severe(findings, Severity::kWarning);
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) json["findings"].push_back(json_of(finding));
  constexpr int kIndent = 2;
  out << json.dump(kIndent) << "\n" << std::flush;
}

void print_doctor_verdict(std::ostream& out, const Findings& findings) {
  const std::int64_t broken = count_severe(findings, Severity::kBroken);
  const std::int64_t warnings = count_severe(findings, Severity::kWarning);
  out << (broken > 0     ? "a run will not work as it is: "
          : warnings > 0 ? "a run works: "
                         : "all is well: ")
      << broken << " failed, " << warnings << (warnings == 1 ? " warning\n" : " warnings\n") << std::flush;
}

}  // namespace

void DoctorReport::add(const Findings& findings) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  for (const Finding& finding : findings) {
    findings_.push_back(finding);
    if (speaks_ && !as_json_) out_ << text_of(finding) << "\n";
  }
  out_ << std::flush;
}

int DoctorReport::close() {
  const std::lock_guard lock(mutex_);
  if (!is_closed_ && speaks_) as_json_ ? print_doctor_json(out_, findings_) : print_doctor_verdict(out_, findings_);
  is_closed_ = true;
  return count_severe(findings_, Severity::kBroken) > 0 ? kExitFailure : kExitOk;
}

}  // namespace negatron
