#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "runtime/snapshots/bank_file.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"

namespace negatron {

/// Reads a saved bank by sequence number, whatever number of files it lies in, about `block_bytes` in memory at a time
/// when asked in ascending order. Opens a shard's file when it first needs it; the digests should have been checked.
/// Local. Every function throws SnapshotError.
class BankReader {
 public:
  enum class Learned { kPassOver, kRead };

  /// With kRead the blocks of rows that learn have raw rows and moments as well.
  BankReader(std::filesystem::path directory, const SavedBank& bank, std::int64_t block_bytes,
             Learned learned = Learned::kPassOver);
  BankReader(const BankReader&) = delete;
  BankReader(BankReader&&) = default;

  /// The keys [sequence.begin, sequence.end), which must all count.
  BankBlock read(Range sequence);
  const SavedBank& bank() const noexcept { return bank_; }
  const BankLayout& layout() const noexcept { return layout_; }

  /// Opens the file of a shard, if it is not open, and compares what it says of itself with the bank.
  void check(int shard) { open(shard); }

  /// Which shards' files hold keys that rank `rank` of `ranks` owns.
  std::vector<int> shards_for(int rank, int ranks) const;

 private:
  struct Shard {
    Hdf5Reader file;
    RingOrder order;
    /// Rows [first, first + size) of the file.
    std::int64_t first = 0;
    BankBlock buffer;
  };
  Shard& open(int shard);
  BankBlock read_shard(int shard, Range sequence);
  BankBlock load(Shard& shard, std::int64_t first, std::int64_t count) const;

  std::filesystem::path directory_;
  SavedBank bank_;
  BankLayout layout_;
  bool reads_learned_;
  std::int64_t buffer_rows_;
  std::map<int, Shard> shards_;
};

}  // namespace negatron
