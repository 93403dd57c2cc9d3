#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <ATen/ATen.h>
#include <zlib.h>

#include "tests/runtime/data/sources/idx_bytes.h"

namespace negatron::testing {

/// An image of a number: [channels, height, width] uint8.
inline at::Tensor numbered_image(std::int64_t number, std::int64_t channels, std::int64_t height, std::int64_t width) {
  const at::Tensor steps = at::arange(channels * height * width, at::kLong);
  return (steps * 7 + number * 31).remainder(256).to(at::kByte).view({channels, height, width});
}

inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift & 0xff));
  return bytes;
}

/// LENGTH kind data CRC
inline std::string png_chunk(const std::string& kind, const std::string& data) {
  const std::string body = kind + data;
  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
}

/// A PNG file of an image [1 or 3, h, w] uint8.
inline std::string png_bytes(const at::Tensor& image) {
  const at::Tensor rows = image.permute({1, 2, 0}).contiguous();
  const auto row_bytes = static_cast<std::size_t>(rows.size(1) * rows.size(2));
  std::string raw;
  for (std::int64_t y = 0; y < rows.size(0); ++y) {
    // Each row says how it is filtered: not at all.
    raw.push_back('\0');
    raw.append(static_cast<const char*>(rows[y].const_data_ptr()), row_bytes);
  }
  std::string packed(compressBound(raw.size()), '\0');
  uLongf packed_bytes = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes, reinterpret_cast<const Bytef*>(raw.data()),
           raw.size());
  packed.resize(packed_bytes);
  const char colour_type = image.size(0) == 1 ? 0 : 2;
  const std::string head = big_endian(static_cast<std::uint32_t>(image.size(2))) +
                           big_endian(static_cast<std::uint32_t>(image.size(1))) + std::string{8, colour_type, 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", head) + png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

/// Makes the folder as well.
inline void write_png(const std::filesystem::path& path, const at::Tensor& image) {
  std::filesystem::create_directories(path.parent_path());
  write_bytes(path, png_bytes(image));
}

}  // namespace negatron::testing
