#include "runtime/bank_files/merge_banks.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "runtime/bank_files/distance_numbers.h"
#include "runtime/bank_files/find_duplicates.h"
#include "runtime/bank_files/merge_order.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/bank_files/write_bank.h"
#include "runtime/snapshots/hdf5/dtype_text.h"

namespace negatron {
namespace {

constexpr std::int64_t kBitsPerByte = 8;

void check_alike(const std::vector<OpenBank>& banks, bool types_too) {
  const OpenBank& first = banks.front();
  for (const OpenBank& bank : banks) {
    const auto refuse = [&](const std::string& what, const std::string& one, const std::string& other,
                            const std::string& hint) {
      throw std::invalid_argument("'" + first.path.string() + "' has rows of " + what + " " + one + " and '" +
                                  bank.path.string() + "' of " + what + " " + other + hint);
    };
    if (bank.bank().kind != BankKind::kQueue) {
      throw std::invalid_argument("'" + bank.path.string() + "' holds a bank of the kind " +
                                  kind_text(bank.bank().kind) + ", whose rows belong to its run; queues are merged.");
    }
    if (bank.bank().length != first.bank().length) {
      refuse("length", name_of(first.bank().length), name_of(bank.bank().length), ": they cannot be in one bank.");
    }
    if (bank.bank().width != first.bank().width) {
      refuse("width", std::to_string(first.bank().width), std::to_string(bank.bank().width),
             ": they cannot be in one bank.");
    }
    if (types_too && bank.bank().dtype != first.bank().dtype) {
      refuse("type", dtype_text(first.bank().dtype), dtype_text(bank.bank().dtype),
             "; --convert TYPE rounds all of them to one.");
    }
  }
}

/// Those first whose oldest rows are older, or of which more of one step are left; else as they are given.
std::vector<OpenBank> by_reach(std::vector<OpenBank> banks) {
  // The second number is minus the rows that are left of the oldest batch. Example: of the batch of step 1 one bank
  // holds keys 2 and 3 and another only 3. The first has -2 and comes before the second with -1, so that key 3 of the
  // second is the duplicate, and the result has 2 before 3. The other way round it would have 3 before 2.
  const auto reach = [](const OpenBank& bank) {
    const BankLayout layout = bank.layout();
    // An empty bank has no oldest batch: it comes last, and gives no rows wherever it stands.
    if (layout.filled() == 0) return std::pair{std::numeric_limits<std::int64_t>::max(), std::int64_t{0}};
    const BankBatch& oldest = layout.batches().front();
    return std::pair{oldest.step, layout.floor() - oldest.end()};
  };
  std::stable_sort(banks.begin(), banks.end(),
                   [&](const OpenBank& a, const OpenBank& b) { return reach(a) < reach(b); });
  return banks;
}

/// Of every bank, which rows are another's once more.
std::vector<std::vector<bool>> duplicates_of(const std::vector<OpenBank>& banks, at::ScalarType dtype,
                                             const BankMemory& memory, std::int64_t& count) {
  std::vector<std::vector<bool>> duplicate;
  for (const OpenBank& bank : banks) duplicate.emplace_back(static_cast<std::size_t>(bank.layout().filled()), false);
  DuplicateOptions options;
  options.dtype = dtype;
  find_duplicates(banks, options, memory, [&](const RowPlace&, const RowPlace& again) {
    const std::int64_t floor = banks[again.bank].layout().floor();
    duplicate[again.bank][static_cast<std::size_t>(again.sequence - floor)] = true;
    ++count;
  });
  return duplicate;
}

SavedBank merged_bank(const std::vector<OpenBank>& banks, const MergeOrder& order, const MergeOptions& options,
                      std::int64_t capacity, at::ScalarType dtype) {
  // Batches as large as those that the banks were made of: a grid of that height fits the run that goes on.
  std::int64_t height = 1;
  for (const OpenBank& bank : banks) height = std::max(height, bank.bank().layout.height);
  SavedBank merged;
  merged.layout.capacity = capacity;
  merged.layout.height = std::min(height, capacity);
  merged.layout.batches = order.batches(merged.layout.height);
  const auto count = static_cast<std::int64_t>(merged.layout.batches.size());
  // A column for each batch there is, also where small batches make more of them than the capacity asks for.
  merged.layout.columns = std::max(count, (capacity + merged.layout.height - 1) / merged.layout.height);
  merged.layout.head = order.rows();
  merged.layout.next_number = count;
  merged.shards = checked_ranks(options.ranks);
  merged.width = banks.front().bank().width;
  merged.dtype = dtype;
  merged.length = banks.front().bank().length;
  return merged;
}

}  // namespace

MergeResult merge_banks(FileLayer& files, const std::vector<OpenBank>& given, const std::filesystem::path& out,
                        const MergeOptions& options, BankMemory memory) {
  if (given.empty()) throw std::invalid_argument("There is no bank to merge.");
  if (options.rows < 0) throw std::invalid_argument("--rows must not be negative.");
  check_alike(given, !options.convert);
  checked_ranks(options.ranks);
  const at::ScalarType dtype = options.convert.value_or(given.front().bank().dtype);
  require_type(given.front().bank().length, dtype, "--convert");

  const std::vector<OpenBank> banks = by_reach(given);
  MergeResult result;
  NewBank merged;
  std::int64_t capacities = 0;
  for (const OpenBank& bank : banks) {
    capacities += bank.layout().capacity();
    result.rows_read += bank.layout().filled();
    merged.step = std::max(merged.step, bank.manifest.step);
  }
  // Before the banks are read, which may take long, and not after.
  check_new_snapshot(files, out, merged.step);
  memory.reserve(result.rows_read / kBitsPerByte, "the list of rows");
  const std::vector<std::vector<bool>> duplicate = duplicates_of(banks, dtype, memory, result.duplicates);

  const std::int64_t capacity = options.rows > 0 ? options.rows : capacities;
  const MergeOrder order(banks, duplicate, capacity);
  result.dropped = order.dropped();
  memory.reserve(static_cast<std::int64_t>(2 * order.pieces().size() * sizeof(MergeOrder::Piece)), "the order of rows");
  merged.bank = merged_bank(banks, order, options, capacity, dtype);
  reserve_for_writing(merged.bank, memory);

  // Every bank's reader keeps a block; one of them is read at a time.
  std::int64_t bytes_per_row = bytes_while_writing(merged.row_bytes());
  for (const OpenBank& bank : banks) bytes_per_row += bank.bytes_while_reading();
  const std::int64_t rows = memory.fitting(bytes_per_row);
  std::vector<BankReader> readers;
  for (const OpenBank& bank : banks) readers.push_back(bank.reader(rows));
  const NewRows read = [&](Range keys) {
    BankBlock block{at::empty({keys.size(), merged.bank.width}, dtype),
                    at::empty({keys.size()}, at::kLong),
                    at::empty({keys.size()}, at::kLong),
                    {},
                    {}};
    for (const MergeOrder::Piece& piece : order.pieces_of(keys)) {
      const BankBlock part = readers[piece.bank].read({piece.sequence, piece.sequence + piece.count});
      const std::int64_t at = piece.begin - keys.begin;
      // copy_ rounds rows of another type: [count, d] of the bank's type into [keys, d] of the result's.
      block.vectors.narrow(0, at, piece.count).copy_(part.vectors);
      block.ids.narrow(0, at, piece.count).copy_(part.ids);
      block.labels.narrow(0, at, piece.count).copy_(part.labels);
    }
    return block;
  };
  result.manifest = write_bank(files, out, merged, read, rows);
  return result;
}

}  // namespace negatron
