#pragma once

#include <cstdint>
#include <filesystem>

namespace negatron {

/// Whether what the path leads to can only be read from its beginning to its end: a pipe (`<(...)`), a terminal. Local.
bool is_sequential(const std::filesystem::path& path);

/// Such a file, read to its end and held in memory, for readers that go back and forth.
class SpooledFile {
 public:
  /// Throws SnapshotError that names the file when it cannot be read, or has more than `most_bytes`. Local.
  SpooledFile(const std::filesystem::path& path, std::int64_t most_bytes);
  ~SpooledFile();
  SpooledFile(const SpooledFile&) = delete;
  SpooledFile& operator=(const SpooledFile&) = delete;

  /// A regular file, which lives as long as this.
  std::filesystem::path path() const;

 private:
  int memory_ = -1;
};

}  // namespace negatron
