#include "runtime/data/sources/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtime/data/data_error.h"

namespace negatron {
namespace {

constexpr std::int64_t kMostImageBytes = std::int64_t{1} << 30;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

[[noreturn]] void refuse_read(const std::filesystem::path& path, const std::string& why) {
  throw DataError("Data file '" + path.string() + "' " + why + ".");
}

[[noreturn]] void refuse_with_reason(const std::filesystem::path& path, int error) {
  refuse_read(path, "cannot be read: " + std::generic_category().message(error));
}

}  // namespace

// Not blocking, because opening a pipe would wait for its other end.
ReadFile::ReadFile(const std::filesystem::path& path)
    : path_(path), number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (number_ < 0) refuse_with_reason(path, errno);
  struct stat status {};
  const int failed = ::fstat(number_, &status);
  if (failed != 0 || !S_ISREG(status.st_mode)) {
    const int error = errno;
    ::close(number_);
    if (failed != 0) refuse_with_reason(path, error);
    refuse_read(path, "is not a regular file");
  }
  size_ = status.st_size;
  changed_ = status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec;
}

ReadFile::~ReadFile() {
  ::close(number_);
}

void ReadFile::read(std::int64_t offset, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(number_, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse_with_reason(path_, errno);
    if (got == 0) refuse_read(path_, "is cut short: it ends at byte " + std::to_string(offset));
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
}

std::vector<std::uint8_t> ReadFile::read(std::int64_t offset, std::int64_t count) const {
  // Before memory is taken for it.
  if (offset < 0 || count < 0 || count > size_ - offset) {
    refuse_read(path_, "is cut short: it has " + std::to_string(size_) + " bytes");
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  read(offset, bytes);
  return bytes;
}

std::vector<std::uint8_t> read_image_file(const std::filesystem::path& path) {
  const ReadFile file(path);
  if (file.size() > kMostImageBytes) refuse_read(path, "is larger than any image: over 1 GiB");
  if (file.size() == 0) refuse_read(path, "is empty");
  return file.read(0, file.size());
}

}  // namespace negatron
