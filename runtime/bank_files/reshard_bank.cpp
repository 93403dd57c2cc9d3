#include "runtime/bank_files/reshard_bank.h"

#include <stdexcept>

#include "runtime/bank_files/write_bank.h"

namespace negatron {

int checked_ranks(std::int64_t ranks) {
  if (ranks < 1 || ranks > kMostRanks) {
    throw std::invalid_argument("--ranks must be 1 to " + std::to_string(kMostRanks) + ", not " +
                                std::to_string(ranks) + ".");
  }
  return static_cast<int>(ranks);
}

Manifest reshard_banks(FileLayer& files, const std::vector<OpenBank>& banks, const std::filesystem::path& out,
                       std::int64_t ranks, BankMemory memory) {
  std::vector<NewBank> results;
  std::int64_t bytes = 0;
  check_new_snapshot(files, out, banks.front().manifest.step);
  for (const OpenBank& bank : banks) {
    NewBank result{bank.bank(), bank.manifest.step, nullptr};
    // All that changes. The layout's state does not depend on ranks, so slots, batches and steps are those of before;
    // only files and rows within them are others.
    result.bank.shards = checked_ranks(ranks);
    if (bank.manifest.has(kTrainerName)) result.trainer_of = &bank;
    reserve_for_writing(result.bank, memory);
    // One reader's buffer stays while the next one reads.
    bytes += bank.bytes_while_reading_whole() + bytes_while_writing(result.row_bytes());
    results.push_back(result);
  }
  const std::int64_t rows = memory.fitting(bytes);
  std::vector<BankReader> readers;
  for (const OpenBank& bank : banks) readers.push_back(bank.whole_reader(rows));
  std::vector<NewRows> read;
  for (BankReader& reader : readers) read.emplace_back([&reader](Range sequence) { return reader.read(sequence); });
  return write_banks(files, out, results, read, rows);
}

}  // namespace negatron
