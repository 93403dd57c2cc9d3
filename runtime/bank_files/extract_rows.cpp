#include "runtime/bank_files/extract_rows.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>

#include "runtime/bank_files/listed_rows.h"
#include "runtime/bank_files/write_bank.h"
#include "runtime/matrices/write_npy.h"
#include "runtime/snapshots/files/file_writing.h"
#include "runtime/snapshots/hdf5/block_datasets.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kListBytesPerKey = sizeof(std::int64_t);
/// As BlockDatasets calls the vectors.
constexpr const char* kRowsDataset = "rows";

const char* dataset_of(KeyColumn column) {
  return column == KeyColumn::kId ? "ids" : "labels";
}

/// What is looked for in one column of a bank, ascending, and which of it was found.
struct Wanted {
  KeyColumn column = KeyColumn::kId;
  std::vector<std::int64_t> numbers;
  std::vector<bool> seen;
};

void add_keys_of_shard(const OpenBank& bank, int shard, std::int64_t rows, Wanted& wanted,
                       std::vector<std::int64_t>& sequence) {
  const RingOrder order(bank.layout(), shard);
  const Hdf5Reader file(bank.path / bank_file_name(shard, bank.bank().shards, bank.bank().name));
  for (std::int64_t begin = 0; begin < order.size(); begin += rows) {
    const std::int64_t count = std::min(rows, order.size() - begin);
    const at::Tensor block = file.read_rows(dataset_of(wanted.column), begin, count);
    const auto* number = block.const_data_ptr<std::int64_t>();
    for (const RingOrder::Stretch& stretch : order.stretches({begin, begin + count})) {
      for (std::int64_t i = 0; i < stretch.count; ++i, ++number) {
        const auto found = std::lower_bound(wanted.numbers.begin(), wanted.numbers.end(), *number);
        if (found == wanted.numbers.end() || *found != *number) continue;
        wanted.seen[static_cast<std::size_t>(found - wanted.numbers.begin())] = true;
        sequence.push_back(stretch.sequence + i);
      }
    }
  }
}

bool is_npy_name(const fs::path& path) {
  return path.extension() == ".npy";
}

/// One array a file, OUT.npy last, so that the others are there when it is.
void write_arrays(FileLayer& files, const fs::path& out, const Hdf5Layout& plan) {
  const auto write = [&](const Hdf5Dataset& dataset, const fs::path& path) {
    write_npy(files, path, dataset.dtype, dataset.shape, dataset.bytes);
  };
  write_then_rename(files, out, [&](const fs::path& partial) {
    for (const Hdf5Dataset& dataset : plan.datasets) {
      if (dataset.path == kRowsDataset) {
        write(dataset, partial);
      } else {
        write_then_rename(files, npy_beside(out, dataset.path), [&](const fs::path& other) { write(dataset, other); });
      }
    }
  });
}

}  // namespace

std::vector<fs::path> extracted_files(const fs::path& out) {
  if (!is_npy_name(out)) return {out};
  std::vector<fs::path> files = {out};
  for (const char* name : {"ids", "labels", "steps", "sequence"}) files.push_back(npy_beside(out, name));
  return files;
}

FoundKeys find_keys(const OpenBank& bank, KeyColumn column, std::vector<std::int64_t> numbers, BankMemory memory) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (!numbers.empty() && numbers.front() < 0) {
    throw std::invalid_argument(
        column == KeyColumn::kId ? "--ids: " + std::to_string(numbers.front()) + " is no sample id; those begin at 0."
                                 : "--labels: " + std::to_string(numbers.front()) + " is no label; those begin at 0.");
  }
  const std::int64_t block_bytes = memory.left() / 4;
  memory.reserve(block_bytes, dataset_of(column));
  FoundKeys found;
  Wanted wanted{column, std::move(numbers), {}};
  wanted.seen.assign(wanted.numbers.size(), false);
  for (int shard = 0; shard < bank.bank().shards; ++shard) {
    add_keys_of_shard(bank, shard, std::max<std::int64_t>(1, block_bytes / kListBytesPerKey), wanted, found.sequence);
    // A growing list is there twice while it moves.
    BankMemory(memory).reserve(2 * kListBytesPerKey * static_cast<std::int64_t>(found.sequence.size()),
                               std::string("the list of keys with these ") + dataset_of(column));
  }
  std::sort(found.sequence.begin(), found.sequence.end());
  for (std::size_t i = 0; i < wanted.numbers.size(); ++i) {
    if (!wanted.seen[i]) found.missing.push_back(wanted.numbers[i]);
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
  for (const fs::path& path : extracted_files(out)) check_new_path(files, path);
  const auto count = static_cast<std::int64_t>(sequence.size());
  memory.reserve(count * (kListBytesPerKey + kNumberBytesPerRow),
                 "ids, labels and steps of " + std::to_string(count) + " rows");
  // numpy has no bf16, whose numbers are all in fp32.
  const bool widens = is_npy_name(out) && bank.bank().dtype == at::kBFloat16;
  const at::ScalarType dtype = widens ? at::kFloat : bank.bank().dtype;
  const std::int64_t rows = memory.fitting(bank.bytes_while_reading() + 2 * bytes_while_writing(bank.row_bytes()));
  BankReader reader = bank.reader(rows);
  std::size_t done = 0;
  BlockDatasets datasets(
      [&](std::int64_t wanted) {
        const auto some = static_cast<std::size_t>(wanted);
        BankBlock block = read_listed(reader, std::span(sequence).subspan(done, some));
        done += some;
        block.vectors = vectors_of_rows(block.vectors, bank.bank().length).to(dtype).contiguous();
        return block;
      },
      count, rows);
  Hdf5Layout plan;
  const std::int64_t width = vector_width(bank.bank().length, bank.bank().width);
  datasets.add_to(plan, dtype, width);
  if (is_npy_name(out)) {
    write_arrays(files, out, plan);
    return;
  }
  plan.attributes.push_back({"/", "width", width});
  plan.attributes.push_back({"/", "snapshot_step", bank.manifest.step});
  FileWriting writing;
  writing.block_bytes = rows * bank.row_bytes();
  write_then_rename(files, out, [&](const fs::path& partial) { write_hdf5(files, partial, plan, writing); });
}

}  // namespace negatron
