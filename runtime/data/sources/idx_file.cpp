#include "runtime/data/sources/idx_file.h"

#include <array>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include <zlib.h>

#include "runtime/data/data_error.h"

namespace negatron {

namespace {

constexpr int kUnsignedByte = 0x08;
constexpr std::int64_t kHeaderBytes = 4;
constexpr std::int64_t kBytesPerDimension = 4;
// Deflate cannot make 1032 bytes out of less than one: a gzip file that claims more lies.
constexpr std::int64_t kMaxDeflateRatio = 1032;
constexpr std::int64_t kReadChunk = std::int64_t{1} << 28;

std::string quoted(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw DataError("Data file " + quoted(path) + " " + reason + ".");
}

/// zlib's reader, which passes files that are not gzip through as they are.
class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) refuse(path, "cannot be opened for reading");
    gzbuffer(file_, 1U << 18);
  }
  ~ByteReader() { gzclose_r(file_); }
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  /// Returns how many bytes it got: fewer than asked for at the end of the file.
  std::int64_t read(void* target, std::int64_t bytes) {
    std::int64_t done = 0;
    while (done < bytes) {
      const auto chunk = static_cast<unsigned>(std::min(bytes - done, kReadChunk));
      const int got = gzread(file_, static_cast<char*>(target) + done, chunk);
      int error = Z_OK;
      const char* text = gzerror(file_, &error);
      // Z_BUF_ERROR: the compressed data ends early. What came before it has been delivered.
      if (got < 0 || error == Z_BUF_ERROR) {
        if (error == Z_BUF_ERROR) refuse(path_, "is truncated: its gzip data ends early");
        refuse(path_, "cannot be read: " + std::string(text));
      }
      if (got == 0) break;
      done += got;
    }
    return done;
  }

 private:
  std::filesystem::path path_;
  gzFile file_;
};

std::int64_t checked_file_size(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) refuse(path, "does not exist");
  if (!std::filesystem::is_regular_file(path, error)) refuse(path, "is not a regular file");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) refuse(path, "cannot be read: " + error.message());
  return static_cast<std::int64_t>(size);
}

bool starts_like_gzip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() == 0x1f && file.get() == 0x8b;
}

void check_magic(const std::filesystem::path& path, const std::array<unsigned char, kHeaderBytes>& magic,
                 int dimensions) {
  if (magic[0] != 0 || magic[1] != 0) refuse(path, "is not an IDX file: it does not start with two zero bytes");
  if (magic[2] != kUnsignedByte) {
    refuse(path, "holds IDX elements of type " + std::to_string(magic[2]) + ", expected 8 (unsigned bytes)");
  }
  if (magic[3] != dimensions) {
    refuse(path, "has " + std::to_string(magic[3]) + " dimensions, expected " + std::to_string(dimensions));
  }
}

/// Product of the sizes, never past `kMaxIdxBytes`.
std::int64_t checked_product(const std::filesystem::path& path, const std::vector<std::int64_t>& sizes) {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) {
    if (size == 0) refuse(path, "is empty: one of its dimensions is 0");
    // The division instead of a product: sizes of 2^32 - 1 would overflow it.
    if (product > kMaxIdxBytes / size) {
      refuse(path, "claims more than " + std::to_string(kMaxIdxBytes) + " bytes, the most this reader accepts");
    }
    product *= size;
  }
  return product;
}

}  // namespace

// The header is two zero bytes, the type, the number of dimensions and each size as 4 bytes, the largest first.
// Example: the 60,000 training images begin with
//  00 00 08 03 | 00 00 ea 60 | 00 00 00 1c | 00 00 00 1c
// which is bytes, three dimensions, 60,000 x 28 x 28. The header has 4 + 3 * 4 = 16 bytes, the data 47,040,000.
at::Tensor read_idx(const std::filesystem::path& path, int dimensions) {
  const std::int64_t file_bytes = checked_file_size(path);
  ByteReader reader(path);
  std::array<unsigned char, kHeaderBytes> magic{};
  if (reader.read(magic.data(), kHeaderBytes) < kHeaderBytes) refuse(path, "is truncated: its header is incomplete");
  check_magic(path, magic, dimensions);

  std::vector<std::int64_t> sizes;
  for (int i = 0; i < dimensions; ++i) {
    std::array<unsigned char, kBytesPerDimension> big_endian{};
    if (reader.read(big_endian.data(), kBytesPerDimension) < kBytesPerDimension) {
      refuse(path, "is truncated: its header is incomplete");
    }
    std::int64_t size = 0;
    for (const unsigned char byte : big_endian) size = size * 256 + byte;
    sizes.push_back(size);
  }
  const std::int64_t elements = checked_product(path, sizes);
  const std::int64_t header_bytes = kHeaderBytes + dimensions * kBytesPerDimension;
  const std::int64_t most = starts_like_gzip(path) ? file_bytes * kMaxDeflateRatio : file_bytes;
  // Before anything is allocated: a damaged header must not ask for gigabytes.
  if (header_bytes + elements > most) {
    refuse(path, "is truncated: its header promises " + std::to_string(elements) +
                     " bytes of data, the whole file of " + std::to_string(file_bytes) + " bytes cannot hold them");
  }

  at::Tensor tensor = at::empty(sizes, at::kByte);
  const std::int64_t got = reader.read(tensor.mutable_data_ptr(), elements);
  if (got < elements) {
    refuse(path, "is truncated: its header promises " + std::to_string(elements) + " bytes of data, it holds " +
                     std::to_string(got));
  }
  // Asking for one byte more also makes zlib reach the end of its data, where it compares the checksum.
  char extra = 0;
  if (reader.read(&extra, 1) != 0) {
    refuse(path, "is longer than its header says: there is more after " + std::to_string(elements) + " bytes of data");
  }
  return tensor;
}

}  // namespace negatron
