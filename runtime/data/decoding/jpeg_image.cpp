#include "runtime/data/decoding/jpeg_image.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

#include <jpeglib.h>

#include <jerror.h>

#include "runtime/data/decoding/jump_back.h"
#include "runtime/data/decoding/pixel_planes.h"

namespace negatron {

namespace {

// Progressive files have about ten. A small file can ask for thousands of passes over a large image.
constexpr int kMostScans = 100;
constexpr unsigned kMostMarkerBytes = 0xffff;
constexpr unsigned kWholeScale = 8;
// At the sides of what it decodes libjpeg has no neighbour to interpolate colours with, so it decodes more: two pixels
// of full size hold one of half the colour resolution.
constexpr std::int64_t kColourMargin = 4;

/// What leaves every pixel as it should be.
bool is_harmless(int warning) {
  return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_JFIF_MAJOR || warning == JWRN_ADOBE_XFORM ||
         warning == JWRN_TOO_MUCH_DATA;
}

/// The orientation in the first APP1 segment that holds EXIF: others hold XMP.
Orientation orientation_in(const jpeg_decompress_struct& decompress) {
  for (jpeg_saved_marker_ptr marker = decompress.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> data(marker->data, marker->data_length);
    if (starts_with_exif_name(data)) return exif_orientation_behind_name(data);
  }
  return {};
}

}  // namespace

struct JpegImage::Library {
  Library() {
    decompress.err = jpeg_std_error(&errors);
    decompress.client_data = this;
    errors.error_exit = on_error;
    errors.emit_message = on_message;
    progress.progress_monitor = on_progress;
  }
  ~Library() { jpeg_destroy_decompress(&decompress); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  static Library& of(j_common_ptr common) { return *static_cast<Library*>(common->client_data); }

  [[noreturn]] static void on_error(j_common_ptr common) {
    Library& self = of(common);
    const int code = common->err->msg_code;
    self.truncated = code == JWRN_JPEG_EOF || code == JERR_INPUT_EOF || code == JERR_INPUT_EMPTY;
    common->err->format_message(common, self.text.data());
    self.back.jump();
  }

  static void on_message(j_common_ptr common, int level) {
    // libjpeg warns of what it makes up: grey for the rest of a file that was cut, anything for codes that do not
    // exist.
    if (level < 0 && !is_harmless(common->err->msg_code)) on_error(common);
  }

  static void on_progress(j_common_ptr common) {
    Library& self = of(common);
    if (self.decompress.input_scan_number <= kMostScans) return;
    std::snprintf(self.text.data(), self.text.size(), "More than %d scans", kMostScans);
    self.back.jump();
  }

  jpeg_decompress_struct decompress{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  JumpBack back;
  std::array<char, JMSG_LENGTH_MAX> text{};
  bool truncated = false;
};

template <typename Step>
void JpegImage::run(Step step) {
  if (library_->back.completes(step)) return;
  if (library_->truncated) refuse_truncated_image(name_);
  std::string reason = "is damaged or of a kind that is not read: libjpeg says '";
  reason += library_->text.data();
  refuse_image(name_, reason + "'");
}

JpegImage::JpegImage(FileBytes bytes, const std::string& name) : name_(name), library_(std::make_unique<Library>()) {
  jpeg_decompress_struct& decompress = library_->decompress;
  run([&] {
    jpeg_create_decompress(&decompress);
    decompress.progress = &library_->progress;
    jpeg_mem_src(&decompress, bytes.data(), bytes.size());
    jpeg_save_markers(&decompress, JPEG_APP0 + 1, kMostMarkerBytes);
    jpeg_read_header(&decompress, TRUE);
  });
  head_.size = {decompress.image_height, decompress.image_width};
  head_.channels = decompress.num_components == 1 ? 1 : 3;
  head_.orientation = orientation_in(decompress);
}

JpegImage::~JpegImage() = default;

at::Tensor JpegImage::decode(std::int64_t channels) {
  return decode_box({1, 0, 0, head_.size}, channels);
}

at::Tensor JpegImage::decode_box(const JpegBox& box, std::int64_t channels) {
  jpeg_decompress_struct& decompress = library_->decompress;
  const int components = decompress.num_components;
  const PixelLayout layout = components == 1   ? PixelLayout::kGrey
                             : components == 4 ? PixelLayout::kInvertedCmyk
                                               : PixelLayout::kRgb;
  PixelPlanes planes(channels, box.size);
  run([&] {
    decompress.out_color_space = components == 1 ? JCS_GRAYSCALE : components == 4 ? JCS_CMYK : JCS_RGB;
    decompress.scale_num = kWholeScale / static_cast<unsigned>(box.shrink);
    decompress.scale_denom = kWholeScale;
    jpeg_start_decompress(&decompress);
    // Columns of the box and those beside it, which libjpeg widens to whole blocks.
    const std::int64_t most_left = std::max<std::int64_t>(box.left - kColourMargin, 0);
    const std::int64_t most_right =
        std::min<std::int64_t>(box.left + box.size.width + kColourMargin, decompress.output_width);
    auto left = static_cast<JDIMENSION>(most_left);
    auto width = static_cast<JDIMENSION>(most_right - most_left);
    if (width < decompress.output_width) jpeg_crop_scanline(&decompress, &left, &width);
    const std::int64_t cut = (box.left - left) * decompress.output_components;
    JSAMPARRAY rows = decompress.mem->alloc_sarray(reinterpret_cast<j_common_ptr>(&decompress), JPOOL_IMAGE,
                                                   width * decompress.output_components, decompress.rec_outbuf_height);
    if (box.top > 0) jpeg_skip_scanlines(&decompress, static_cast<JDIMENSION>(box.top));
    for (std::int64_t y = 0; y < box.size.height;) {
      const JDIMENSION got = jpeg_read_scanlines(&decompress, rows, decompress.rec_outbuf_height);
      for (JDIMENSION i = 0; i < got && y < box.size.height; ++i, ++y) planes.put_row(y, rows[i] + cut, layout);
    }
    // Damage behind the box counts as well: whether an image is sound must not depend on where its crops lie. The last
    // row is read, because what libjpeg is asked to skip up to the end it does not look at.
    const JDIMENSION rest = decompress.output_height - decompress.output_scanline;
    if (rest > 1) jpeg_skip_scanlines(&decompress, rest - 1);
    if (rest > 0) jpeg_read_scanlines(&decompress, rows, 1);
  });
  return planes.tensor();
}

}  // namespace negatron
