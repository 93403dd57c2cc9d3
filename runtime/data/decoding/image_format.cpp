#include "runtime/data/decoding/image_format.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/data/decoding/stored_head.h"

namespace negatron {

namespace {

using std::string_view_literals::operator""sv;

struct ForeignFormat {
  std::string_view start;
  const char* what;
};

constexpr std::array<ForeignFormat, 9> kForeignFormats = {{
    {"GIF8"sv, "a GIF image"},
    {"BM"sv, "a BMP image"},
    {"II*\0"sv, "a TIFF image"},
    {"MM\0*"sv, "a TIFF image"},
    {"\0\0\0\x0cjP  "sv, "a JPEG 2000 image"},
    {"8BPS"sv, "a Photoshop document"},
    {"%PDF"sv, "a PDF document"},
    {"PK\x03\x04"sv, "a zip archive"},
    {"\x1f\x8b"sv, "a gzip file"},
}};

bool starts_with(FileBytes bytes, std::string_view start, std::size_t place = 0) {
  return bytes.size() >= place + start.size() &&
         std::equal(start.begin(), start.end(), bytes.begin() + static_cast<std::ptrdiff_t>(place),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// No control characters but those of lines, in as much of the start as tells text from chance.
bool looks_like_text(FileBytes bytes) {
  const FileBytes start = bytes.first(std::min<std::size_t>(bytes.size(), 64));
  return std::all_of(start.begin(), start.end(), [](std::uint8_t byte) {
    return byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
  });
}

[[noreturn]] void refuse_as(const std::string& name, const char* what) {
  std::string reason = "is ";
  reason += what;
  reason += "; JPEG, PNG and WebP are read";
  refuse_image(name, reason);
}

}  // namespace

ImageFormat image_format(FileBytes bytes, const std::string& name) {
  if (bytes.empty()) refuse_image(name, "is empty");
  if (starts_with(bytes, "\xff\xd8\xff"sv)) return ImageFormat::kJpeg;
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n"sv)) return ImageFormat::kPng;
  if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) return ImageFormat::kWebp;
  for (const ForeignFormat& foreign : kForeignFormats) {
    if (starts_with(bytes, foreign.start)) refuse_as(name, foreign.what);
  }
  if (starts_with(bytes, "ftyp"sv, 4)) refuse_as(name, "an AVIF, HEIC or MP4 file");
  if (looks_like_text(bytes)) refuse_as(name, "text, such as a web page or a list, and no image");
  refuse_as(name, "in no known image format");
}

}  // namespace negatron
