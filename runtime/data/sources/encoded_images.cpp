#include "runtime/data/sources/encoded_images.h"

#include <algorithm>
#include <span>

#include "runtime/data/data_error.h"
#include "runtime/data/decoding/decode_crop.h"
#include "runtime/data/decoding/decode_image.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {
namespace {

constexpr std::int64_t kHeads = 64;
constexpr std::int64_t kLargestOwnSide = 256;
/// Views are no larger than what encoders are usually made for, and of a side that strides divide.
constexpr std::int64_t kLargestViewSide = 224;
constexpr std::int64_t kSideStep = 8;

ImageSize common_view_size(const std::vector<ImageHead>& heads) {
  const ImageSize& first = heads.front().size;
  const bool one_size = std::all_of(heads.begin(), heads.end(), [&](const auto& head) { return head.size == first; });
  if (one_size && std::max(first.height, first.width) <= kLargestOwnSide) return first;
  std::vector<std::int64_t> shorter;
  for (const ImageHead& head : heads) shorter.push_back(std::min(head.size.height, head.size.width));
  const auto middle = shorter.begin() + static_cast<std::ptrdiff_t>(shorter.size() / 2);
  std::nth_element(shorter.begin(), middle, shorter.end());
  const std::int64_t side = std::clamp(*middle / kSideStep * kSideStep, kSideStep, kLargestViewSide);
  return {side, side};
}

}  // namespace

EncodedImages::EncodedImages(std::shared_ptr<const EncodedFiles> files, ImageLabels labels,
                             const SourceOptions& options)
    : files_(std::move(files)), labels_(std::move(labels)), most_pixels_(options.most_pixels) {
  if (files_->size() == 0) {
    throw DataError("Data '" + options.path +
                    "' hold no images: files named .jpg, .jpeg, .png or .webp are looked for.");
  }
  look_at_heads(options);
}

void EncodedImages::look_at_heads(const SourceOptions& options) {
  std::vector<ImageHead> heads;
  std::string first_error;
  DigestStream seen;
  const std::int64_t count = std::min(kHeads, size());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t id = i * size() / count;
    try {
      const std::vector<std::uint8_t> bytes = files_->bytes(id);
      seen.update(std::as_bytes(std::span(bytes)));
      heads.push_back(read_image_head(bytes, files_->name(id)));
    } catch (const DataError& error) {
      if (first_error.empty()) first_error = error.what();
    }
  }
  // Some broken ones are no reason not to start, and what is told of the others holds for them.
  if (heads.empty()) {
    throw DataError((count == 1 ? "The image of '" + options.path + "' cannot be read: "
                                : "Of " + std::to_string(count) + " images of '" + options.path +
                                      "' that were looked at none can be read; the first: ") +
                    first_error);
  }
  const bool grey = std::all_of(heads.begin(), heads.end(), [](const ImageHead& head) { return head.channels == 1; });
  channels_ = options.channels != 0 ? options.channels : grey ? 1 : 3;
  view_size_ = common_view_size(heads);
  content_sample_ = seen.hex();
}

DecodedImages EncodedImages::load(const at::Tensor& ids) const {
  const at::Tensor wanted = ids.contiguous();
  const auto* numbers = wanted.const_data_ptr<std::int64_t>();
  std::vector<at::Tensor> images;
  images.reserve(static_cast<std::size_t>(wanted.numel()));
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    const std::int64_t id = numbers[i];
    images.push_back(decode_image(files_->bytes(id), {channels_, most_pixels_}, files_->name(id)));
  }
  return DecodedImages(std::move(images));
}

ImageParts EncodedImages::load_parts(const at::Tensor& ids, const CropsOfImage& crops) const {
  const at::Tensor wanted = ids.contiguous();
  const auto* numbers = wanted.const_data_ptr<std::int64_t>();
  std::vector<at::Tensor> images;
  std::vector<ImagePart> parts;
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    const std::int64_t id = numbers[i];
    const auto its_crops = [&](const ImageSize& size) { return crops(i, size); };
    DecodedCrop decoded = decode_crops(files_->bytes(id), its_crops, {channels_, most_pixels_}, files_->name(id));
    images.push_back(std::move(decoded.pixels));
    parts.push_back(decoded.part);
  }
  return {DecodedImages(std::move(images)), std::move(parts)};
}

std::int64_t EncodedImages::bytes_of_index() const {
  const at::Tensor& labels = labels_.of_images;
  return files_->bytes_of_index() + (labels.defined() ? static_cast<std::int64_t>(labels.nbytes()) : 0);
}

}  // namespace negatron
