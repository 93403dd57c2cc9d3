#include "runtime/data/device_views/padded_images.h"

#include <algorithm>
#include <limits>

#include "comm/queued_copy.h"
#include "comm/require.h"
#include "runtime/data/device_views/sent_tensor.h"

namespace negatron {
namespace {

/// The images behind each other, [bytes], where they travel from.
at::Tensor packed(const std::vector<at::Tensor>& images, at::Device device) {
  std::int64_t bytes = 0;
  for (const at::Tensor& image : images) bytes += image.numel();
  at::Tensor all = empty_to_send({bytes}, at::kByte, device);
  std::int64_t begin = 0;
  for (const at::Tensor& image : images) {
    all.narrow(0, begin, image.numel()).view(image.sizes()).copy_(image);
    begin += image.numel();
  }
  return all;
}

/// One number of each image, [n, 1, 1, 1]. Places among so few bytes fit into 32 bits, which are half the memory.
at::Tensor of_images(const std::vector<std::int64_t>& numbers, at::Device device) {
  return queued_copy(at::tensor(numbers, at::kInt).view({-1, 1, 1, 1}), device);
}

// Example: grey images of 2 x 3 and 3 x 2 are bytes 0 to 5 and 6 to 11, and become [2, 1, 3, 3]. Pixel (1, 0) of the
// second is byte 6 + 1 * 2 + 0 = 8. The first has no third row: bytes of the second stand there, which nobody reads.
at::Tensor spread(const at::Tensor& bytes, const std::vector<ImageSize>& sizes, std::int64_t channels) {
  std::vector<std::int64_t> begins, heights, widths;
  std::int64_t begin = 0;
  for (const ImageSize& size : sizes) {
    begins.push_back(begin);
    heights.push_back(size.height);
    widths.push_back(size.width);
    begin += channels * size.height * size.width;
  }
  require(bytes.numel() <= std::numeric_limits<std::int32_t>::max(), "Images are padded from at most 2 GiB at a time.");
  const at::Device device = bytes.device();
  const auto count_to = [&](std::int64_t end, at::IntArrayRef shape) {
    return at::arange(end, at::TensorOptions(at::kInt).device(device)).view(shape);
  };
  const at::Tensor channel = count_to(channels, {1, -1, 1, 1});
  const at::Tensor y = count_to(*std::max_element(heights.begin(), heights.end()), {1, 1, -1, 1});
  const at::Tensor x = count_to(*std::max_element(widths.begin(), widths.end()), {1, 1, 1, -1});
  const at::Tensor row = (channel * of_images(heights, device) + y) * of_images(widths, device);  // [n, C, h, 1]
  const at::Tensor place = (row + of_images(begins, device) + x).clamp_max_(bytes.numel() - 1);
  return bytes.index_select(0, place.flatten()).view(place.sizes());
}

}  // namespace

PaddedImages bring_images(const std::vector<at::Tensor>& images, at::Device device) {
  PaddedImages padded;
  for (const at::Tensor& image : images) padded.sizes.push_back({image.size(1), image.size(2)});
  const std::int64_t channels = images.front().size(0);
  const at::Tensor bytes = sent(packed(images, device), device);
  const ImageSize& first = padded.sizes.front();
  const bool alike = std::all_of(padded.sizes.begin(), padded.sizes.end(), [&](auto& size) { return size == first; });
  padded.pixels = alike ? bytes.view({-1, channels, first.height, first.width}) : spread(bytes, padded.sizes, channels);
  return padded;
}

}  // namespace negatron
