#include "runtime/metrics/tensorboard/record_file.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include <boost/crc.hpp>

namespace negatron {
namespace {

constexpr mode_t kFileMode = 0666;
constexpr std::uint32_t kMask = 0xa282ead8U;
constexpr int kRotation = 15, kWord = 32;
/// Castagnoli's polynomial, with bits in the order and with the complements that all who say CRC-32C mean.
using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

template <typename Number>
void add_little_endian(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(number); ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
}

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw std::runtime_error("TensorBoard's file '" + path.string() + "' cannot be " + what + ": " +
                           std::strerror(errno) + ".");
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  Crc32c sum;
  sum.process_bytes(bytes.data(), bytes.size());
  const std::uint32_t crc = sum.checksum();
  return ((crc >> kRotation) | (crc << (kWord - kRotation))) + kMask;
}

RecordFile::RecordFile(std::filesystem::path path)
    : path_(std::move(path)),
      file_(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, kFileMode)) {
  if (file_ < 0) fail(path_, "made");
}

RecordFile::~RecordFile() {
  close(file_);
}

void RecordFile::append(std::string_view record) {
  std::string bytes;
  add_little_endian(bytes, static_cast<std::uint64_t>(record.size()));
  add_little_endian(bytes, masked_crc32c(bytes));
  bytes.append(record);
  add_little_endian(bytes, masked_crc32c(record));
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, "written");
    done += static_cast<std::size_t>(written);
  }
}

}  // namespace negatron
