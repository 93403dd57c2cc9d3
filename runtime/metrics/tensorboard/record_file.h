#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/metrics/appended_file.h"

namespace negatron {

/// The CRC-32C of these bytes as TensorFlow's record files hold it: rotated by 15 bits, plus a constant, so that a CRC
/// of bytes that hold a CRC says something.
std::uint32_t masked_crc32c(std::string_view bytes);

/// A record as it stands in the file: length (8 bytes), its masked CRC (4), the bytes, their masked CRC (4), all little
/// endian (tensorflow/core/lib/io/record_writer).
std::string framed_record(std::string_view record);

/// A file of records as TensorFlow writes them. What cannot be written is counted (appended_file.h). Local.
class RecordFile {
 public:
  /// The file begins with `head`, records that are framed, also where it is made again.
  RecordFile(std::filesystem::path path, std::string head, AppendedFile::Warn warn);

  void append(std::string_view record);
  const std::filesystem::path& path() const noexcept { return file_.path(); }
  /// As AppendedFile::missing().
  std::string missing() const { return file_.missing(); }

 private:
  AppendedFile file_;
};

}  // namespace negatron
