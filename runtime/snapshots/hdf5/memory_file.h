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
  /// Throws FileError.
  MemoryFile();
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
