#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace negatron {

/// A file that exists only in memory and only while this object does, sparse, with a path that HDF5 can open: where
/// HDF5 lays a file out before its bytes are written by us. Bytes that nobody writes take no memory. Local.
class MemoryFile {
 public:
  /// One in which at least so many bytes are laid out. Throws FileError, also when this process may make no file of
  /// that size (ulimit -f): HDF5 would keep a file that it could not write, and its descriptor, for good.
  explicit MemoryFile(std::int64_t bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const;
  std::int64_t size() const;
  /// Throws SnapshotError when the file ends before.
  void read(std::int64_t offset, std::span<std::byte> bytes) const;

 private:
  int number_;
};

}  // namespace negatron
