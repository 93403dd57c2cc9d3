#include "runtime/bank_files/import_rows.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "runtime/bank_files/distance_numbers.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/bank_files/row_norms.h"
#include "runtime/bank_files/write_bank.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// A matrix as [K, d], whichever way it lies.
class RowsOf {
 public:
  /// Example: a queue of shape (128, 65536) needs --transpose. In C order its rows of 65536 numbers are read by
  /// columns. In Fortran order its bytes lie as those of (65536, 128) in C order do, and the two transposes cancel:
  /// [count, 128] is read as it lies.
  RowsOf(const MatrixFile& matrix, bool transpose)
      : matrix_(matrix), by_column_(transpose != matrix.means_transpose()) {}

  std::int64_t count() const { return by_column_ ? matrix_.columns() : matrix_.rows(); }
  std::int64_t width() const { return by_column_ ? matrix_.rows() : matrix_.columns(); }
  /// [count, d]
  at::Tensor read(std::int64_t begin, std::int64_t count) const {
    return by_column_ ? matrix_.read_columns(begin, count).t().contiguous() : matrix_.read_rows(begin, count);
  }

 private:
  const MatrixFile& matrix_;
  bool by_column_;
};

void check_options(const ImportOptions& options, std::int64_t count) {
  const auto require = [](bool condition, const std::string& message) {
    if (!condition) throw std::invalid_argument(message);
  };
  const std::string rows = std::to_string(count);
  require(options.rows == 0 || options.rows >= count,
          "--rows " + std::to_string(options.rows) + " is less than the " + rows + " rows of the file.");
  require(options.oldest >= 0 && options.oldest < count,
          "--oldest " + std::to_string(options.oldest) + " is not one of the " + rows + " rows of the file.");
  require(options.batch >= 1, "--batch must be at least 1.");
  require(!options.raw || !options.normalize,
          "--raw keeps the lengths of rows and --normalize makes them 1; leave one of them out.");
  require(!options.distance || !options.normalize,
          "--distance keeps the lengths of rows and --normalize makes them 1; leave one of them out.");
  require(!options.distance || !options.raw,
          "--raw is for scores that are inner products and --distance for squared distances; leave one of them out.");
  checked_ranks(options.ranks);
}

RowLength length_of(const ImportOptions& options) {
  if (options.distance) return RowLength::kDistance;
  return options.raw ? RowLength::kAsMade : RowLength::kUnit;
}

void check_rows(const RowsOf& rows, const ImportOptions& options, std::int64_t block_rows) {
  for (std::int64_t begin = 0; begin < rows.count(); begin += block_rows) {
    const at::Tensor block = rows.read(begin, std::min(block_rows, rows.count() - begin));
    const at::Tensor norms = row_norms(block);
    const auto* norm = norms.const_data_ptr<double>();
    for (std::int64_t i = 0; i < norms.numel(); ++i) {
      const std::string row = "Row " + std::to_string(begin + i) + " of the file";
      if (std::isnan(norm[i])) throw std::invalid_argument(row + " holds a number that is not finite.");
      if (options.normalize && norm[i] == 0.0) {
        throw std::invalid_argument(row + " is zero and has no direction that --normalize could keep.");
      }
      if (!options.normalize && length_of(options) == RowLength::kUnit && !is_unit_row(block, i, norm[i])) {
        throw std::invalid_argument(row + " has norm " + std::to_string(norm[i]) +
                                    " and not 1; --normalize scales rows, --raw keeps them, --distance as well, "
                                    "--transpose reads a [d, K] file.");
      }
    }
  }
}

SavedBank imported_bank(const RowsOf& rows, const ImportOptions& options, at::ScalarType dtype) {
  SavedBank bank;
  const std::int64_t capacity = std::max(options.rows, rows.count());
  const std::int64_t batch = std::min(options.batch, capacity);
  bank.length = length_of(options);
  require_type(bank.length, dtype, "--dtype");
  bank.layout.capacity = capacity;
  bank.layout.height = batch;
  bank.layout.columns = (capacity + batch - 1) / batch;
  bank.layout.head = rows.count();
  for (std::int64_t start = 0; start < rows.count(); start += batch) {
    bank.layout.batches.push_back({bank.layout.next_number++, start, std::min(batch, rows.count() - start), -1});
  }
  bank.shards = checked_ranks(options.ranks);
  bank.width = row_width(bank.length, rows.width());
  bank.dtype = dtype;
  return bank;
}

}  // namespace

Manifest import_rows(FileLayer& files, const MatrixFile& matrix, const std::filesystem::path& out,
                     const ImportOptions& options, BankMemory memory) {
  const RowsOf rows(matrix, options.transpose);
  check_options(options, rows.count());
  check_new_snapshot(files, out, 0);
  if (matrix.held_bytes() > 0) memory.reserve(matrix.held_bytes(), "a matrix that cannot be read in parts");
  NewBank bank{imported_bank(rows, options, options.dtype.value_or(matrix.dtype())), 0, nullptr};
  reserve_for_writing(bank.bank, memory);
  // What is read, once more as it lies the other way, and in fp64.
  const std::int64_t read_bytes = rows.width() * static_cast<std::int64_t>(c10::elementSize(matrix.dtype()));
  const std::int64_t block_rows =
      memory.fitting(2 * read_bytes + kNormBytesPerElement * bank.bank.width + bytes_while_writing(bank.row_bytes()));
  check_rows(rows, options, block_rows);

  // Ranks are asked for parts of a batch; the file is read in larger ones.
  at::Tensor held;
  Range held_keys;
  // Example: 5 rows, oldest 2: keys 0 to 4 are rows 2, 3, 4, 0, 1. With blocks of 4 rows key 0 loads rows 2 to 4 (the
  // file ends there) and key 3 loads rows 0 and 1: a block never runs over the end of the file.
  const auto row_of = [&](std::int64_t key) { return (key + options.oldest) % rows.count(); };
  const auto load = [&](std::int64_t key) {
    held = at::Tensor();
    const std::int64_t begin = row_of(key);
    const std::int64_t count = std::min({block_rows, rows.count() - begin, rows.count() - key});
    held = rows.read(begin, count);
    if (options.normalize) held = normalized_rows(held);
    // Their two further numbers before they are rounded.
    held = rows_of_vectors(held, bank.bank.length).to(bank.bank.dtype);
    held_keys = {key, key + count};
  };
  const NewRows read = [&](Range keys) {
    std::vector<at::Tensor> parts;
    for (std::int64_t key = keys.begin; key < keys.end;) {
      if (key < held_keys.begin || key >= held_keys.end) load(key);
      const std::int64_t end = std::min(keys.end, held_keys.end);
      parts.push_back(held.narrow(0, key - held_keys.begin, end - key));
      key = end;
    }
    const at::Tensor none = at::full({keys.size()}, -1, at::kLong);
    return BankBlock{parts.size() == 1 ? parts.front() : at::cat(parts), none, none, {}, {}};
  };
  return write_bank(files, out, bank, read, block_rows);
}

}  // namespace negatron
