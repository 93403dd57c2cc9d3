#pragma once

#include <iosfwd>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/bank_files/bank_info.h"
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

nlohmann::ordered_json diff_json(const OpenBank& a, const OpenBank& b, const BankDiff& diff);
void print_diff(std::ostream& out, const OpenBank& a, const OpenBank& b, const BankDiff& diff);

/// Of a snapshot or bank that was written.
nlohmann::ordered_json written_json(const std::filesystem::path& out, const Manifest& manifest);
void print_written(std::ostream& out, const std::filesystem::path& path, const Manifest& manifest);

}  // namespace negatron
