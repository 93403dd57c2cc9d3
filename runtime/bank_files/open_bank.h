#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/bank_files/bank_memory.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/choose_snapshot.h"
#include "runtime/snapshots/manifest.h"

namespace negatron {

/// What of a file is in memory at a time while its digest is computed.
inline constexpr std::int64_t kDigestBlockBytes = std::int64_t{8} << 20;

/// A saved bank that was verified.
struct OpenBank {
  /// Of the snapshot.
  std::filesystem::path path;
  Manifest manifest;
  /// What people should hear about how it was chosen, a sentence each.
  std::vector<std::string> notes;
  /// Which of the banks of the manifest.
  std::size_t which = 0;

  const SavedBank& bank() const { return manifest.banks.at(which); }
  BankLayout layout() const { return {bank().layout, bank().shards}; }
  /// Of the vector.
  std::int64_t row_bytes() const;
  /// Of a row with its numbers while BankReader reads it: what it keeps, what it had before, and what it gives.
  std::int64_t bytes_while_reading() const { return 3 * (row_bytes() + kNumberBytesPerRow); }
  /// Reads blocks of up to `rows`, without what rows that learn have beside what scores.
  BankReader reader(std::int64_t rows) const { return {path, bank(), rows * row_bytes()}; }
  /// The same with it, and what a row takes then while it is read.
  BankReader whole_reader(std::int64_t rows) const {
    return {path, bank(), rows * (row_bytes() + bytes_of_learned()), BankReader::Learned::kRead};
  }
  std::int64_t bytes_while_reading_whole() const { return bytes_while_reading() + 3 * bytes_of_learned(); }
  /// Of a row that learns, its raw row and moments; 0 for others.
  std::int64_t bytes_of_learned() const { return learned_row_bytes(bank()); }
};

/// Which bank of a snapshot.
struct BankChoice {
  /// Empty: the only one.
  std::string name = {};
  /// What people give it by; null where there is no way to.
  const char* flag = "--name";
};

/// Its index in `manifest.banks`, of which there is at least one; `snapshot` is for the message. Local. Throws
/// std::invalid_argument with the names that there are when there is no such bank, or several without a name.
std::size_t index_of_bank(const std::filesystem::path& snapshot, const Manifest& manifest, const BankChoice& choice);

/// That bank of what choose_snapshot() means by `path`. Local. Throws as that and as index_of_bank().
OpenBank open_bank(const FileLayer& files, const std::filesystem::path& path, const BankMemory& memory,
                   const BankChoice& choice = {});
/// All banks of it, in the order of its manifest: at least one. Local. Throws as open_bank().
std::vector<OpenBank> open_banks(const FileLayer& files, const std::filesystem::path& path, const BankMemory& memory);

/// All keys of a bank, oldest first, in blocks of up to `rows`.
void for_each_block(const OpenBank& bank, std::int64_t rows, const std::function<void(const BankBlock&)>& visit);

}  // namespace negatron
