#include "runtime/bank_files/reshard_bank.h"

#include <stdexcept>

#include "runtime/bank_files/learned_rows.h"
#include "runtime/bank_files/write_bank.h"

namespace negatron {

int checked_ranks(std::int64_t ranks) {
  if (ranks < 1 || ranks > kMostRanks) {
    throw std::invalid_argument("--ranks must be 1 to " + std::to_string(kMostRanks) + ", not " +
                                std::to_string(ranks) + ".");
  }
  return static_cast<int>(ranks);
}

Manifest reshard_bank(FileLayer& files, const OpenBank& bank, const std::filesystem::path& out, std::int64_t ranks,
                      BankMemory memory) {
  NewBank result{bank.bank(), bank.manifest.step, nullptr};
  // All that changes. The layout's state does not depend on ranks, so slots, batches and steps are those of before;
  // only files and rows within them are others.
  result.bank.shards = checked_ranks(ranks);
  if (bank.manifest.has(kTrainerName)) result.trainer_of = &bank;
  check_new_snapshot(files, out, result.step);
  reserve_for_writing(result.bank, memory);
  // A file is written matrix by matrix, and each is read by itself, so that no byte is read twice. A block of what rows
  // that learn have beside what scores is read while the last one of the others is still there.
  const std::int64_t rows =
      memory.fitting(bank.bytes_while_reading() + bank.bytes_of_learned() + bytes_while_writing(result.row_bytes()));
  BankReader reader = bank.reader(rows);
  LearnedRows raw(bank, raw_dataset(bank.bank()));
  LearnedRows moments(bank, moments_dataset(bank.bank()));
  if (rows_learn(bank.bank().kind)) {
    for (int shard = 0; shard < bank.bank().shards; ++shard) reader.check(shard);
    result.raw = [&](Range sequence) { return raw.read(sequence); };
    result.moments = [&](Range sequence) { return moments.read(sequence); };
  }
  return write_bank(
      files, out, result, [&](Range sequence) { return reader.read(sequence); }, rows);
}

}  // namespace negatron
