#include "runtime/matrices/spooled_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {
namespace {

constexpr std::size_t kPipeBlock = 1 << 16;

void hold_all(int file, const char* bytes, std::size_t count, const std::filesystem::path& path) {
  while (count > 0) {
    const ssize_t written = ::write(file, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw FileError("hold in memory", path, errno);
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
}

void copy_to_end(int from, int to, const std::filesystem::path& path, std::int64_t most_bytes) {
  std::array<char, kPipeBlock> block;
  std::int64_t copied = 0;
  for (;;) {
    const ssize_t count = ::read(from, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError("read", path, errno);
    if (count == 0) return;
    copied += count;
    if (copied > most_bytes) {
      throw SnapshotError("'" + path.string() + "' is no file that can be read twice, and has more than the " +
                          std::to_string(most_bytes) + " bytes that are held in memory; write it into a file first.");
    }
    hold_all(to, block.data(), static_cast<std::size_t>(count), path);
  }
}

}  // namespace

bool is_sequential(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode);
}

SpooledFile::SpooledFile(const std::filesystem::path& path, std::int64_t most_bytes) {
  const int from = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) throw FileError("open", path, errno);
  memory_ = ::memfd_create("negatron", MFD_CLOEXEC);
  try {
    if (memory_ < 0) throw FileError("hold in memory", path, errno);
    copy_to_end(from, memory_, path, most_bytes);
  } catch (...) {
    ::close(from);
    if (memory_ >= 0) ::close(memory_);
    throw;
  }
  ::close(from);
}

SpooledFile::~SpooledFile() {
  ::close(memory_);
}

std::filesystem::path SpooledFile::path() const {
  return "/proc/self/fd/" + std::to_string(memory_);
}

}  // namespace negatron
