#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launch/flags/flag_table.h"
#include "runtime/bank_files/open_bank.h"
#include "runtime/matrices/spooled_file.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {

/// What all `negatron bank` commands are given: --json, --memory and paths.
class BankArguments {
 public:
  /// The first line of `usage` is what a wrong number of paths is answered with. Remarks are for people even with
  /// --json.
  BankArguments(std::string usage, std::ostream& out, std::ostream& remarks);
  BankArguments(const BankArguments&) = delete;
  BankArguments& operator=(const BankArguments&) = delete;

  FlagTable& flags() { return flags_; }
  /// The one word that asks a command for its flags, as FlagTable::print_completions() has them.
  static constexpr const char* kCompletions = "--completions";
  /// False when --help or kCompletions was asked for, which it has printed then. Throws UsageError.
  bool parse(const std::vector<std::string>& arguments, std::size_t fewest_paths, std::size_t most_paths);

  bool json() const { return json_; }
  BankMemory memory() const;
  const std::string& path(std::size_t index) const { return paths_.at(index); }
  const std::vector<std::string>& paths() const { return paths_; }
  PosixFileLayer& files() { return files_; }
  /// The path itself, or of what can be read once only (a pipe) that of a copy in memory, up to --memory, which lives
  /// as long as this. Throws SnapshotError.
  std::string seekable(const std::string& path);
  /// Lets people say which bank of a snapshot is meant, for a command that works on one. Before parse().
  void take_name();
  /// open_bank of what take_name() took, whose notes become remarks.
  OpenBank open(const std::string& path);
  /// open_banks, of several only that one where a name was given; the same with notes.
  std::vector<OpenBank> open_all(const std::string& path);

 private:
  void tell_notes(const OpenBank& bank);

  std::ostream& out_;
  std::ostream& remarks_;
  std::string usage_;
  FlagTable flags_;
  bool json_ = false;
  std::int64_t memory_mib_ = 256;
  bool takes_name_ = false;
  std::string name_;
  std::vector<std::string> paths_;
  PosixFileLayer files_;
  std::vector<std::unique_ptr<SpooledFile>> spooled_;
};

/// --ids and --labels: numbers between commas, or the name of a file that holds some. Throws UsageError that begins
/// with the flag.
std::vector<std::int64_t> read_numbers(const std::string& flag, const std::string& text);
/// --range FIRST:END. Throws UsageError.
Range read_range(const std::string& text);

}  // namespace negatron
