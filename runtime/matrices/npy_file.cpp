#include "runtime/matrices/npy_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/matrices/npy_header.h"

namespace negatron {
namespace {

/// A header of two dimensions has some hundred characters.
constexpr std::int64_t kMostHeaderBytes = 1 << 16;

struct Preamble {
  NpyHeader header;
  /// Where the numbers begin.
  std::int64_t data = 0;
};

/// Magic, version (2 bytes), length of the header (2 bytes in 1.0, 4 later, low byte first), header.
Preamble read_preamble(const InputFile& file, NpyNumbers numbers, NpyVoid npy_void) {
  const auto version_at = static_cast<std::int64_t>(kNpyMagic.size());
  std::array<unsigned char, 2> version{};
  file.read(version_at, std::as_writable_bytes(std::span(version)));
  if (version[0] < 1 || version[0] > 3 || version[1] != 0) {
    throw SnapshotError("its format is " + std::to_string(version[0]) + "." + std::to_string(version[1]) +
                        "; 1.0, 2.0 or 3.0 is expected");
  }
  std::array<unsigned char, 4> digits{};
  const std::size_t length_bytes = version[0] == 1 ? 2 : digits.size();
  const std::int64_t length_at = version_at + static_cast<std::int64_t>(version.size());
  file.read(length_at, std::as_writable_bytes(std::span(digits).first(length_bytes)));
  std::int64_t length = 0;
  // From the highest byte down: 0x76 0x00 is 0 * 256 + 118.
  for (std::size_t i = length_bytes; i-- > 0;) length = length * 256 + digits[i];
  if (length > kMostHeaderBytes) throw SnapshotError("its header claims " + std::to_string(length) + " bytes");
  std::string text(static_cast<std::size_t>(length), '\0');
  const std::int64_t text_at = length_at + static_cast<std::int64_t>(length_bytes);
  file.read(text_at, std::as_writable_bytes(std::span(text)));
  return {parse_npy_header(text, numbers, npy_void), text_at + length};
}

/// Of each number of a contiguous tensor on the host.
void reverse_bytes(const at::Tensor& values) {
  auto* bytes = static_cast<std::byte*>(values.mutable_data_ptr());
  const std::size_t element = values.element_size();
  for (std::size_t at = 0; at < values.nbytes(); at += element) std::reverse(bytes + at, bytes + at + element);
}

void check_size(const NpyHeader& header, std::int64_t bytes) {
  if (header.shape.size() != 2) {
    throw SnapshotError("it has " + std::to_string(header.shape.size()) +
                        " dimensions; 2 are expected, rows and columns");
  }
  const std::int64_t rows = header.shape[0];
  const std::int64_t columns = header.shape[1];
  if (rows < 1 || columns < 1) throw SnapshotError("it holds no rows");
  const auto element = static_cast<std::int64_t>(c10::elementSize(header.dtype));
  // Division, because the product of hostile sizes overflows.
  if (columns > bytes / element || rows > bytes / (columns * element) || rows * columns * element != bytes) {
    throw SnapshotError("its shape (" + std::to_string(rows) + ", " + std::to_string(columns) + ") does not fit the " +
                        std::to_string(bytes) + " bytes of numbers that it has");
  }
}

}  // namespace

NpyFile::NpyFile(std::unique_ptr<InputFile> file, const std::string& name, NpyVoid npy_void) : file_(std::move(file)) {
  try {
    const Preamble preamble = read_preamble(*file_, NpyNumbers::kFloating, npy_void);
    check_size(preamble.header, file_->size() - preamble.data);
    data_ = preamble.data;
    rows_ = preamble.header.shape[0];
    columns_ = preamble.header.shape[1];
    dtype_ = preamble.header.dtype;
    fortran_order_ = preamble.header.fortran_order;
    big_endian_ = preamble.header.big_endian;
  } catch (const SnapshotError& error) {
    throw SnapshotError(name + " is refused: " + error.what() + ".");
  }
  // As the bytes lie: the first index changes fastest in Fortran order.
  if (fortran_order_) std::swap(rows_, columns_);
}

at::Tensor NpyFile::read_rows(std::int64_t begin, std::int64_t count) const {
  at::Tensor rows = at::empty({count, columns_}, dtype_);
  const auto row_bytes = columns_ * static_cast<std::int64_t>(rows.element_size());
  file_->read(data_ + begin * row_bytes, {static_cast<std::byte*>(rows.mutable_data_ptr()), rows.nbytes()});
  return in_our_order(rows);
}

at::Tensor NpyFile::in_our_order(at::Tensor values) const {
  if (big_endian_) reverse_bytes(values);
  return values;
}

NpyHeader read_npy_header(const InputFile& file, NpyNumbers numbers, NpyVoid npy_void) {
  return read_preamble(file, numbers, npy_void).header;
}

at::Tensor read_npy_integers(const FileLayer& files, const std::filesystem::path& path) {
  const std::unique_ptr<InputFile> file = files.open(path);
  try {
    const Preamble preamble = read_preamble(*file, NpyNumbers::kInteger, NpyVoid::kRefused);
    const std::int64_t bytes = file->size() - preamble.data;
    const auto element = static_cast<std::int64_t>(c10::elementSize(preamble.header.dtype));
    if (preamble.header.shape.size() != 1) {
      throw SnapshotError("it has " + std::to_string(preamble.header.shape.size()) + " dimensions; 1 is expected");
    }
    const std::int64_t count = preamble.header.shape[0];
    if (bytes % element != 0 || count != bytes / element) {
      throw SnapshotError("its shape (" + std::to_string(count) + ",) does not fit the " + std::to_string(bytes) +
                          " bytes of numbers that it has");
    }
    at::Tensor numbers = at::empty({count}, preamble.header.dtype);
    file->read(preamble.data, {static_cast<std::byte*>(numbers.mutable_data_ptr()), numbers.nbytes()});
    if (preamble.header.big_endian) reverse_bytes(numbers);
    return numbers.to(at::kLong);
  } catch (const SnapshotError& error) {
    throw SnapshotError("'" + path.string() + "' is refused: " + error.what() + ".");
  }
}

bool begins_like_npy(const FileLayer& files, const std::filesystem::path& path) {
  const std::unique_ptr<InputFile> file = files.open(path);
  std::array<char, kNpyMagic.size()> first{};
  if (file->size() < static_cast<std::int64_t>(first.size())) return false;
  file->read(0, std::as_writable_bytes(std::span(first)));
  return std::equal(first.begin(), first.end(), kNpyMagic.begin());
}

at::Tensor NpyFile::read_columns(std::int64_t begin, std::int64_t count) const {
  at::Tensor columns = at::empty({rows_, count}, dtype_);
  const auto element = static_cast<std::int64_t>(columns.element_size());
  auto* target = static_cast<std::byte*>(columns.mutable_data_ptr());
  const auto bytes = static_cast<std::size_t>(count * element);
  for (std::int64_t row = 0; row < rows_; ++row) {
    file_->read(data_ + (row * columns_ + begin) * element, {target + static_cast<std::size_t>(row) * bytes, bytes});
  }
  return in_our_order(columns);
}

}  // namespace negatron
