#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace negatron {

/// The CRC-32C of these bytes as TensorFlow's record files hold it: rotated by 15 bits, plus a constant, so that a CRC
/// of bytes that hold a CRC says something.
std::uint32_t masked_crc32c(std::string_view bytes);

/// A file of records as TensorFlow writes them: length (8 bytes), its masked CRC (4), the bytes, their masked CRC (4),
/// all little endian (tensorflow/core/lib/io/record_writer). Each record is one write, so a run that is killed leaves
/// whole ones. Local.
class RecordFile {
 public:
  /// Makes the file, which must not be there. Throws std::runtime_error.
  explicit RecordFile(std::filesystem::path path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// Throws std::runtime_error, which names the file.
  void append(std::string_view record);
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  int file_;
};

}  // namespace negatron
