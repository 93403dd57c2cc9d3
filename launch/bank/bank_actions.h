#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// One `negatron bank` command.
struct BankAction {
  const char* name;
  const char* summary;
  /// Reads its flags from the words behind its name and does it: results to `out`, remarks to `remarks`. Returns the
  /// exit code. Throws UsageError and std::invalid_argument for what cannot work as asked, SnapshotError for files that
  /// are damaged or cannot be read or written.
  int (*run)(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& remarks);
};

const std::vector<BankAction>& bank_actions();

}  // namespace negatron
