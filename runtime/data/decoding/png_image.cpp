#include "runtime/data/decoding/png_image.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include <png.h>

#include "runtime/data/decoding/jump_back.h"
#include "runtime/data/decoding/pixel_planes.h"

namespace negatron {

namespace {

constexpr std::size_t kSignatureBytes = 8;
// Length, type and checksum.
constexpr std::size_t kChunkFrameBytes = 12;

/// The orientation in the eXIf chunk, wherever it is: libpng would find it only after the pixels when it stands there.
Orientation orientation_in_chunks(FileBytes bytes) {
  std::size_t place = kSignatureBytes;
  while (bytes.size() - place >= kChunkFrameBytes) {
    const std::uint8_t* chunk = bytes.data() + place;
    const std::size_t length = png_get_uint_32(chunk);
    if (length > bytes.size() - place - kChunkFrameBytes) break;
    if (std::memcmp(chunk + 4, "eXIf", 4) == 0) {
      return exif_orientation_behind_name(bytes.subspan(place + 8, length));
    }
    place += length + kChunkFrameBytes;
  }
  return {};
}

PixelLayout layout_of(int png_channels) {
  constexpr std::array<PixelLayout, 4> kLayouts = {PixelLayout::kGrey, PixelLayout::kGreyAlpha, PixelLayout::kRgb,
                                                   PixelLayout::kRgba};
  return kLayouts[static_cast<std::size_t>(png_channels - 1)];
}

}  // namespace

struct PngImage::Library {
  explicit Library(FileBytes file) : bytes(file) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Library() { png_destroy_read_struct(&png, &info, nullptr); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto& self = *static_cast<Library*>(png_get_error_ptr(png));
    std::snprintf(self.text.data(), self.text.size(), "%s", message);
    self.back.jump();
  }

  static void read(png_structp png, png_bytep to, std::size_t count) {
    auto& self = *static_cast<Library*>(png_get_io_ptr(png));
    if (count > self.bytes.size() - self.place) {
      self.truncated = true;
      png_error(png, "end of file");
    }
    std::copy_n(self.bytes.data() + self.place, count, to);
    self.place += count;
  }

  FileBytes bytes;
  std::size_t place = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  JumpBack back;
  std::array<char, 256> text{};
  bool truncated = false;
};

template <typename Step>
void PngImage::run(Step step) {
  if (library_->back.completes(step)) return;
  if (library_->truncated) refuse_truncated_image(name_);
  refuse_image(name_, "is damaged: libpng says '" + std::string(library_->text.data()) + "'");
}

PngImage::PngImage(FileBytes bytes, const std::string& name) : name_(name), library_(std::make_unique<Library>(bytes)) {
  const png_structp png = library_->png;
  const png_infop info = library_->info;
  run([&] {
    png_set_read_fn(png, library_.get(), Library::read);
    // Texts, times and profiles: nothing that is packed in them is unpacked.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png, info);
  });
  head_.size = {png_get_image_height(png, info), png_get_image_width(png, info)};
  head_.channels = (png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
  head_.orientation = orientation_in_chunks(bytes);
}

PngImage::~PngImage() = default;

at::Tensor PngImage::decode(std::int64_t channels) {
  const png_structp png = library_->png;
  const png_infop info = library_->info;
  const std::int64_t height = head_.size.height;
  int passes = 1;
  run([&] {
    // Palettes to colours, few bits to eight, a transparent colour to alpha; then the upper eight of sixteen.
    png_set_expand(png);
    png_set_strip_16(png);
    passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
  });
  const PixelLayout layout = layout_of(png_get_channels(png, info));
  const std::size_t row_bytes = png_get_rowbytes(png, info);
  PixelPlanes planes(channels, head_.size);
  // Of an interlaced image all rows are there only in the last pass, and each pass adds to what was there.
  std::vector<std::uint8_t> rows(row_bytes * static_cast<std::size_t>(passes == 1 ? 1 : height));
  run([&] {
    for (int pass = 0; pass < passes; ++pass) {
      for (std::int64_t y = 0; y < height; ++y) {
        std::uint8_t* row = rows.data() + (passes == 1 ? 0 : static_cast<std::size_t>(y) * row_bytes);
        png_read_row(png, row, nullptr);
        if (pass == passes - 1) planes.put_row(y, row, layout);
      }
    }
    png_read_end(png, nullptr);
  });
  return planes.tensor();
}

}  // namespace negatron
