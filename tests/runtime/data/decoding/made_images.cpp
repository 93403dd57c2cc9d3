#include "tests/runtime/data/decoding/made_images.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

namespace negatron::testing {

namespace {

void append(MadeFile& file, const std::string& text) {
  file.insert(file.end(), text.begin(), text.end());
}

void append(MadeFile& file, const MadeFile& bytes) {
  file.insert(file.end(), bytes.begin(), bytes.end());
}

void append_number(MadeFile& file, std::uint32_t value, int bytes, bool big_endian) {
  for (int i = 0; i < bytes; ++i) {
    file.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
  }
}

void append_riff_chunk(MadeFile& file, const std::string& type, const MadeFile& data) {
  append(file, type);
  append_number(file, static_cast<std::uint32_t>(data.size()), 4, false);
  append(file, data);
  if (data.size() % 2 == 1) file.push_back(0);
}

/// Flags, three bytes of nothing, then each side less one in three bytes.
MadeFile webp_extended_head(std::uint32_t flags, std::int64_t width, std::int64_t height) {
  MadeFile head;
  append_number(head, flags, 4, false);
  append_number(head, static_cast<std::uint32_t>(width - 1), 3, false);
  append_number(head, static_cast<std::uint32_t>(height - 1), 3, false);
  return head;
}

MadeFile riff_file(const MadeFile& chunks) {
  MadeFile file;
  append(file, "RIFF");
  append_number(file, static_cast<std::uint32_t>(chunks.size() + 4), 4, false);
  append(file, "WEBP");
  append(file, chunks);
  return file;
}

/// [C, H, W] -> [H, W, C], contiguous.
at::Tensor interleaved(const at::Tensor& pixels) {
  return pixels.permute({1, 2, 0}).contiguous();
}

}  // namespace

at::Tensor smooth_pixels(std::int64_t channels, std::int64_t height, std::int64_t width) {
  at::Tensor pixels = at::empty({channels, height, width}, at::kByte);
  auto entries = pixels.accessor<std::uint8_t, 3>();
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const double wave = std::sin(0.05 * static_cast<double>(x) + static_cast<double>(c)) +
                            std::cos(0.04 * static_cast<double>(y) - static_cast<double>(c));
        entries[c][y][x] = static_cast<std::uint8_t>(std::lround(128.0 + 55.0 * wave));
      }
    }
  }
  return pixels;
}

at::Tensor random_pixels(std::int64_t channels, std::int64_t height, std::int64_t width) {
  std::mt19937 random(16);
  at::Tensor pixels = at::empty({channels, height, width}, at::kByte);
  auto* entries = pixels.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < pixels.numel(); ++i) entries[i] = static_cast<std::uint8_t>(random() & 0xff);
  return pixels;
}

MadeFile exif_tiff(int orientation, bool big_endian) {
  MadeFile tiff;
  append(tiff, big_endian ? "MM" : "II");
  append_number(tiff, 42, 2, big_endian);
  append_number(tiff, 8, 4, big_endian);
  append_number(tiff, 2, 2, big_endian);
  for (const auto& [tag, value] : {std::pair{0x0103, 6}, std::pair{0x0112, orientation}}) {
    append_number(tiff, static_cast<std::uint32_t>(tag), 2, big_endian);
    append_number(tiff, 3, 2, big_endian);
    append_number(tiff, 1, 4, big_endian);
    append_number(tiff, static_cast<std::uint32_t>(value), 2, big_endian);
    append_number(tiff, 0, 2, big_endian);
  }
  append_number(tiff, 0, 4, big_endian);
  return tiff;
}

MadeFile make_jpeg(const at::Tensor& pixels, const JpegTraits& traits) {
  const at::Tensor rows = interleaved(pixels);
  jpeg_error_mgr errors;
  jpeg_compress_struct compress;
  compress.err = jpeg_std_error(&errors);
  jpeg_create_compress(&compress);
  unsigned char* written = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&compress, &written, &size);
  const auto channels = static_cast<int>(pixels.size(0));
  compress.image_height = static_cast<JDIMENSION>(pixels.size(1));
  compress.image_width = static_cast<JDIMENSION>(pixels.size(2));
  compress.input_components = channels;
  compress.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&compress);
  if (channels == 4) jpeg_set_colorspace(&compress, traits.ycck ? JCS_YCCK : JCS_CMYK);
  jpeg_set_quality(&compress, traits.quality, TRUE);
  const int sampling = traits.half_resolution ? 2 : 1;
  compress.comp_info[0].h_samp_factor = sampling;
  compress.comp_info[0].v_samp_factor = sampling;
  if (channels == 4) {
    compress.comp_info[3].h_samp_factor = sampling;
    compress.comp_info[3].v_samp_factor = sampling;
  }
  compress.restart_interval = traits.restart_interval;
  if (traits.progressive) jpeg_simple_progression(&compress);
  jpeg_start_compress(&compress, TRUE);
  if (traits.orientation != 0) {
    MadeFile exif;
    append(exif, std::string("Exif\0\0", 6));
    append(exif, exif_tiff(traits.orientation, traits.orientation % 2 == 0));
    jpeg_write_marker(&compress, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  while (compress.next_scanline < compress.image_height) {
    JSAMPROW row = rows.data_ptr<std::uint8_t>() + compress.next_scanline * compress.image_width * channels;
    jpeg_write_scanlines(&compress, &row, 1);
  }
  jpeg_finish_compress(&compress);
  jpeg_destroy_compress(&compress);
  MadeFile file(written, written + size);
  std::free(written);
  return file;
}

MadeFile make_png(const at::Tensor& samples, const PngTraits& traits) {
  const auto height = static_cast<png_uint_32>(samples.size(0));
  const auto width = static_cast<png_uint_32>(samples.size(1));
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  MadeFile file;
  png_set_write_fn(
      png, &file,
      [](png_structp writer, png_bytep bytes, std::size_t count) {
        auto& to = *static_cast<MadeFile*>(png_get_io_ptr(writer));
        to.insert(to.end(), bytes, bytes + count);
      },
      nullptr);
  png_set_IHDR(png, info, width, height, traits.bits, traits.colour_type,
               traits.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (traits.palette.defined()) {
    std::vector<png_color> colours;
    for (std::int64_t i = 0; i < traits.palette.size(0); ++i) {
      const auto* entry = traits.palette.data_ptr<std::uint8_t>() + 3 * i;
      colours.push_back({entry[0], entry[1], entry[2]});
    }
    png_set_PLTE(png, info, colours.data(), static_cast<int>(colours.size()));
  }
  if (!traits.palette_alpha.empty()) {
    png_set_tRNS(png, info, traits.palette_alpha.data(), static_cast<int>(traits.palette_alpha.size()), nullptr);
  }
  if (traits.transparent_grey) {
    png_color_16 colour{};
    colour.gray = *traits.transparent_grey;
    png_set_tRNS(png, info, nullptr, 0, &colour);
  }
  MadeFile exif = exif_tiff(traits.orientation, true);
  if (traits.orientation != 0) png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), exif.data());

  const std::size_t row_bytes = png_get_rowbytes(png, info);
  std::vector<std::uint8_t> packed(row_bytes * height);
  const auto entries = samples.accessor<std::int64_t, 3>();
  for (std::int64_t y = 0; y < samples.size(0); ++y) {
    std::size_t bit = static_cast<std::size_t>(y) * row_bytes * 8;
    for (std::int64_t x = 0; x < samples.size(1); ++x) {
      for (std::int64_t s = 0; s < samples.size(2); ++s) {
        for (int b = traits.bits - 1; b >= 0; --b, ++bit) {
          const auto set = static_cast<unsigned>(entries[y][x][s] >> b & 1);
          packed[bit / 8] = static_cast<std::uint8_t>(packed[bit / 8] | set << (7 - bit % 8));
        }
      }
    }
  }
  std::vector<png_bytep> rows;
  for (png_uint_32 y = 0; y < height; ++y) rows.push_back(packed.data() + y * row_bytes);
  png_write_info(png, info);
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

MadeFile make_plain_png(const at::Tensor& pixels) {
  PngTraits traits;
  const std::int64_t channels = pixels.size(0);
  traits.colour_type = (channels >= 3 ? PNG_COLOR_MASK_COLOR : 0) | (channels % 2 == 0 ? PNG_COLOR_MASK_ALPHA : 0);
  return make_png(interleaved(pixels).to(at::kLong), traits);
}

MadeFile make_webp(const at::Tensor& pixels, const WebpTraits& traits) {
  const at::Tensor rows = interleaved(pixels);
  const auto height = static_cast<int>(pixels.size(1));
  const auto width = static_cast<int>(pixels.size(2));
  const bool alpha = pixels.size(0) == 4;
  const int stride = width * static_cast<int>(pixels.size(0));
  const auto* data = rows.data_ptr<std::uint8_t>();
  std::uint8_t* written = nullptr;
  constexpr float kQuality = 98.0F;
  const std::size_t size =
      traits.lossless ? (alpha ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB)(data, width, height, stride, &written)
                      : (alpha ? WebPEncodeRGBA : WebPEncodeRGB)(data, width, height, stride, kQuality, &written);
  if (size == 0) throw std::runtime_error("libwebp could not encode.");
  const MadeFile file(written, written + size);
  WebPFree(written);
  if (traits.orientation == 0) return file;
  // An extended file: its head, the chunks of the simple file, the EXIF data.
  constexpr std::uint32_t kExifFlag = 0x08;
  MadeFile chunks;
  append_riff_chunk(chunks, "VP8X", webp_extended_head(kExifFlag, width, height));
  chunks.insert(chunks.end(), file.begin() + 12, file.end());
  append_riff_chunk(chunks, "EXIF", exif_tiff(traits.orientation, false));
  return riff_file(chunks);
}

MadeFile make_webp_animation() {
  constexpr std::uint32_t kAnimationFlag = 0x02;
  MadeFile chunks;
  append_riff_chunk(chunks, "VP8X", webp_extended_head(kAnimationFlag, 20, 10));
  append_riff_chunk(chunks, "ANIM", MadeFile(6, 0));
  append_riff_chunk(chunks, "ANMF", MadeFile(40, 0));
  return riff_file(chunks);
}

}  // namespace negatron::testing
