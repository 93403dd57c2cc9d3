#include "runtime/snapshots/hdf5/memory_file.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {
namespace {

constexpr const char* kName = "negatron-skeleton";
/// About what HDF5 adds to small files.
constexpr rlim_t kMetadataBytes = 1 << 16;

bool is_allowed(std::int64_t bytes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return true;
  return limit.rlim_cur >= kMetadataBytes && limit.rlim_cur - kMetadataBytes >= static_cast<rlim_t>(bytes);
}

}  // namespace

// A bank of gigabytes is laid out here in some kilobytes: HDF5 reserves the datasets' places and writes only its own
// metadata, and pages that nobody touches are holes, which size() counts and memory does not.
MemoryFile::MemoryFile(std::int64_t bytes) : number_(-1) {
  if (!is_allowed(bytes)) throw FileError("lay out a file of " + std::to_string(bytes) + " bytes,", kName, EFBIG);
  number_ = ::memfd_create(kName, MFD_CLOEXEC);
  if (number_ < 0) throw FileError("make the memory file", kName, errno);
}

MemoryFile::~MemoryFile() {
  ::close(number_);
}

std::string MemoryFile::path() const {
  // Opening it gives HDF5 a descriptor of its own to the same memory: it may close its own without ending the file.
  return "/proc/self/fd/" + std::to_string(number_);
}

std::int64_t MemoryFile::size() const {
  struct stat status {};
  if (::fstat(number_, &status) != 0) throw FileError("read the size of", path(), errno);
  return status.st_size;
}

void MemoryFile::read(std::int64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(number_, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError("read", path(), errno);
    if (count == 0) throw SnapshotError("HDF5 laid out a file that ends early.");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
}

}  // namespace negatron
