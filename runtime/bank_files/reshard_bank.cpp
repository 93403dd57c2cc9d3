#include "runtime/bank_files/reshard_bank.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "runtime/bank_files/learned_rows.h"
#include "runtime/bank_files/write_bank.h"

namespace negatron {
namespace {

/// The matrices of a bank, read one by one.
class ReadBank {
 public:
  ReadBank(const OpenBank& bank, std::int64_t rows)
      : reader_(bank.reader(rows)),
        raw_(bank, raw_dataset(bank.bank())),
        moments_(bank, moments_dataset(bank.bank())) {}

  /// `result` reads from this, which outlives it.
  void give(NewBank& result) {
    result.rows = [this](Range sequence) { return reader_.read(sequence); };
    if (!rows_learn(reader_.bank().kind)) return;
    for (int shard = 0; shard < reader_.bank().shards; ++shard) reader_.check(shard);
    result.raw = [this](Range sequence) { return raw_.read(sequence); };
    result.moments = [this](Range sequence) { return moments_.read(sequence); };
  }

 private:
  BankReader reader_;
  LearnedRows raw_;
  LearnedRows moments_;
};

}  // namespace

int checked_ranks(std::int64_t ranks) {
  if (ranks < 1 || ranks > kMostRanks) {
    throw std::invalid_argument("--ranks must be 1 to " + std::to_string(kMostRanks) + ", not " +
                                std::to_string(ranks) + ".");
  }
  return static_cast<int>(ranks);
}

Manifest reshard_banks(FileLayer& files, const std::vector<OpenBank>& banks, const std::filesystem::path& out,
                       std::int64_t ranks, BankMemory memory) {
  check_new_snapshot(files, out, banks.front().manifest.step);
  std::vector<NewBank> results;
  std::int64_t bytes = 0;
  for (const OpenBank& bank : banks) {
    NewBank result{bank.bank(), bank.manifest.step};
    // All that changes. The layout's state does not depend on ranks, so slots, batches and steps are those of before;
    // only files and rows within them are others.
    result.bank.shards = checked_ranks(ranks);
    if (bank.manifest.has(kTrainerName)) result.trainer_of = &bank;
    // A file is written matrix by matrix, and each is read by itself, so that no byte is read twice. A block of what
    // rows that learn have beside what scores is read while the last one of the others is still there, and what one
    // bank's reader holds stays while the next bank is read.
    bytes += bank.bytes_while_reading() + bank.bytes_of_learned() + bytes_while_writing(result.row_bytes());
    results.push_back(result);
  }
  // Banks are written one behind the other: what a file's numbers take is that of the bank that has most of them.
  const auto largest = std::max_element(results.begin(), results.end(), [](const NewBank& a, const NewBank& b) {
    return a.bank.layout.capacity < b.bank.layout.capacity;
  });
  reserve_for_writing(largest->bank, memory);
  const std::int64_t rows = memory.fitting(bytes);
  std::vector<std::unique_ptr<ReadBank>> readers;
  for (std::size_t i = 0; i < banks.size(); ++i) {
    readers.push_back(std::make_unique<ReadBank>(banks[i], rows));
    readers.back()->give(results[i]);
  }
  return write_banks(files, out, results, rows);
}

}  // namespace negatron
