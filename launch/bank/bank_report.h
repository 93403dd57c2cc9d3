#pragma once

#include <iosfwd>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/bank_files/bank_info.h"
#include "runtime/bank_files/compare_rows.h"
#include "runtime/bank_files/diff_banks.h"
#include "runtime/bank_files/verify_bank.h"

namespace negatron {

/// Every result of `negatron bank` twice: as a JSON object for programs and as text for people. Numbers without a value
/// are null and "-".
nlohmann::ordered_json bank_json(const OpenBank& bank);
nlohmann::ordered_json info_json(const OpenBank& bank, const BankInfo& info, std::uint64_t seed);
void print_info(std::ostream& out, const OpenBank& bank, const BankInfo& info, std::uint64_t seed);

nlohmann::ordered_json verify_json(const std::vector<SnapshotVerdict>& verdicts);
void print_verdict(std::ostream& out, const SnapshotVerdict& verdict);

/// What `negatron bank diff` finds.
struct BankComparison {
  BankDiff diff;
  RowAgreement rows;
  /// Largest difference of a number that counts as equal; 0: bits are compared.
  double tolerance = 0.0;

  bool equal() const;
};
nlohmann::ordered_json diff_json(const OpenBank& a, const OpenBank& b, const BankComparison& found);
void print_diff(std::ostream& out, const OpenBank& a, const OpenBank& b, const BankComparison& found);

/// Of a snapshot or bank that was written: one object for programs, or a sentence for people, and nothing in between,
/// so that `--json` can be piped. `more` is what only this command knows.
void report_written(std::ostream& out, bool as_json, const std::filesystem::path& path, const Manifest& manifest,
                    const nlohmann::ordered_json& more = nlohmann::ordered_json::object());

}  // namespace negatron
