#include "runtime/bank_files/extract_rows.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "runtime/bank_files/write_bank.h"
#include "runtime/snapshots/files/file_writing.h"
#include "runtime/snapshots/hdf5/block_datasets.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kListBytesPerKey = sizeof(std::int64_t);

/// Keys in ascending order, read in runs of consecutive ones.
class ListedRows {
 public:
  ListedRows(const OpenBank& bank, const std::vector<std::int64_t>& sequence, std::int64_t rows_per_block)
      : reader_(bank.reader(rows_per_block)), sequence_(sequence) {}

  BankBlock next(std::int64_t rows) {
    const SavedBank& bank = reader_.bank();
    BankBlock block{at::empty({rows, bank.width}, bank.dtype), at::empty({rows}, at::kLong),
                    at::empty({rows}, at::kLong), at::empty({rows}, at::kLong), at::empty({rows}, at::kLong)};
    for (std::int64_t done = 0; done < rows;) {
      // Example: of keys 3, 4, 5, 9 a block of 4 rows takes two reads, [3, 6) and [9, 10).
      const auto first = sequence_.begin() + position_;
      std::int64_t count = 1;
      while (done + count < rows && first[count] == first[0] + count) ++count;
      const BankBlock part = reader_.read({first[0], first[0] + count});
      const auto put = [&](const at::Tensor& all, const at::Tensor& some) { all.narrow(0, done, count).copy_(some); };
      put(block.vectors, part.vectors);
      put(block.ids, part.ids);
      put(block.labels, part.labels);
      put(block.steps, part.steps);
      put(block.sequence, part.sequence);
      position_ += count;
      done += count;
    }
    return block;
  }

 private:
  BankReader reader_;
  const std::vector<std::int64_t>& sequence_;
  std::int64_t position_ = 0;
};

void add_keys_of_shard(const OpenBank& bank, int shard, const std::vector<std::int64_t>& ids, std::int64_t rows,
                       std::vector<bool>& seen, std::vector<std::int64_t>& sequence) {
  const RingOrder order(bank.layout(), shard);
  const Hdf5Reader file(bank.path / bank_file_name(shard, bank.bank().shards));
  for (std::int64_t begin = 0; begin < order.size(); begin += rows) {
    const std::int64_t count = std::min(rows, order.size() - begin);
    const at::Tensor block = file.read_rows("ids", begin, count);
    const auto* id = block.const_data_ptr<std::int64_t>();
    for (const RingOrder::Stretch& stretch : order.stretches({begin, begin + count})) {
      for (std::int64_t i = 0; i < stretch.count; ++i, ++id) {
        const auto found = std::lower_bound(ids.begin(), ids.end(), *id);
        if (found == ids.end() || *found != *id) continue;
        seen[static_cast<std::size_t>(found - ids.begin())] = true;
        sequence.push_back(stretch.sequence + i);
      }
    }
  }
}

}  // namespace

FoundKeys find_ids(const OpenBank& bank, std::vector<std::int64_t> ids, BankMemory memory) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (!ids.empty() && ids.front() < 0) {
    throw std::invalid_argument("--ids: " + std::to_string(ids.front()) + " is no sample id; those begin at 0.");
  }
  const std::int64_t block_bytes = memory.left() / 4;
  memory.reserve(block_bytes, "ids");
  FoundKeys found;
  std::vector<bool> seen(ids.size(), false);
  for (int shard = 0; shard < bank.bank().shards; ++shard) {
    add_keys_of_shard(bank, shard, ids, std::max<std::int64_t>(1, block_bytes / kListBytesPerKey), seen,
                      found.sequence);
    // A growing list is there twice while it moves.
    BankMemory(memory).reserve(2 * kListBytesPerKey * static_cast<std::int64_t>(found.sequence.size()),
                               "the list of keys with these ids");
  }
  std::sort(found.sequence.begin(), found.sequence.end());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!seen[i]) found.missing.push_back(ids[i]);
  }
  return found;
}

std::vector<std::int64_t> keys_in(const OpenBank& bank, Range range, const BankMemory& memory) {
  const BankLayout layout = bank.layout();
  if (range.begin < layout.floor() || range.end > layout.head() || range.size() < 1) {
    throw std::invalid_argument("--range " + std::to_string(range.begin) + ":" + std::to_string(range.end) +
                                " is not part of this bank, whose keys are " + std::to_string(layout.floor()) + ":" +
                                std::to_string(layout.head()) + ".");
  }
  BankMemory(memory).reserve(kListBytesPerKey * range.size(), "the list of keys");
  std::vector<std::int64_t> sequence(static_cast<std::size_t>(range.size()));
  std::iota(sequence.begin(), sequence.end(), range.begin);
  return sequence;
}

void extract_rows(FileLayer& files, const OpenBank& bank, const fs::path& out,
                  const std::vector<std::int64_t>& sequence, BankMemory memory) {
  check_new_path(files, out);
  const auto count = static_cast<std::int64_t>(sequence.size());
  memory.reserve(count * (kListBytesPerKey + kNumberBytesPerRow),
                 "ids, labels and steps of " + std::to_string(count) + " rows");
  const std::int64_t rows = memory.fitting(bank.bytes_while_reading() + bytes_while_writing(bank.row_bytes()));
  ListedRows listed(bank, sequence, rows);
  BlockDatasets datasets([&](std::int64_t wanted) { return listed.next(wanted); }, count, rows);
  Hdf5Layout plan;
  datasets.add_to(plan, bank.bank().dtype, bank.bank().width);
  plan.attributes.push_back({"/", "width", bank.bank().width});
  plan.attributes.push_back({"/", "snapshot_step", bank.manifest.step});
  FileWriting writing;
  writing.block_bytes = rows * bank.row_bytes();
  write_then_rename(files, out, [&](const fs::path& partial) { write_hdf5(files, partial, plan, writing); });
}

}  // namespace negatron
