#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace negatron {

/// A regular file that is open for reading at any place, by several threads at a time. Links are followed. Local. Every
/// function throws DataError that names the file.
class ReadFile {
 public:
  explicit ReadFile(const std::filesystem::path& path);
  ~ReadFile();
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::int64_t size() const noexcept { return size_; }
  /// When it was changed, nanoseconds since 1970.
  std::int64_t changed() const noexcept { return changed_; }
  /// Fills `bytes` from `offset`; the file must not end before.
  void read(std::int64_t offset, std::span<std::uint8_t> bytes) const;
  std::vector<std::uint8_t> read(std::int64_t offset, std::int64_t count) const;

 private:
  std::filesystem::path path_;
  int number_;
  std::int64_t size_ = 0;
  std::int64_t changed_ = 0;
};

/// All bytes of an image file. Throws DataError, also for more than 1 GiB.
std::vector<std::uint8_t> read_image_file(const std::filesystem::path& path);

}  // namespace negatron
