#include "runtime/data/device_views/unmade_views.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "comm/queued_copy.h"
#include "runtime/data/device_views/padded_images.h"
#include "runtime/data/device_views/sent_tensor.h"
#include "runtime/data/device_views/tensor_views.h"
#include "runtime/data/views/make_views.h"

namespace negatron {
namespace {

at::Tensor stacked_to_send(const std::vector<at::Tensor>& views, at::Device device) {
  std::vector<std::int64_t> sizes = views.front().sizes().vec();
  sizes.insert(sizes.begin(), static_cast<std::int64_t>(views.size()));
  at::Tensor stacked = empty_to_send(sizes, at::kFloat, device);
  return at::stack_out(stacked, views);
}

}  // namespace

UnmadeViews::UnmadeViews(const AugmentationOptions& options, const ViewFormat& format, const Shape& shape)
    : options_(options), format_(format), shape_(shape) {}

void UnmadeViews::make_if_large(Sample& sample) const {
  const auto views = static_cast<std::int64_t>(sample.views.size());
  const std::int64_t values = shape_.channels * format_.size.height * format_.size.width;
  if (sample.image.numel() <= views * values * static_cast<std::int64_t>(sizeof(float))) return;
  for (View& view : sample.views) {
    view.made = at::empty({shape_.channels, format_.size.height, format_.size.width}, at::kFloat);
    at::Tensor one = view.made.unsqueeze(0);
    make_views(sample.image.unsqueeze(0), std::span(&view.drawn, 1), options_, format_.normalization, one);
  }
  sample.image.reset();
}

void UnmadeViews::add(std::int64_t first_row, const DecodedImages& images, const std::vector<DrawnViews>& views) {
  std::vector<Sample> added;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    Sample sample{first_row + i, images.image(i)[0], {}};
    for (const auto& [set, drawn] : views) sample.views.push_back({set, drawn[static_cast<std::size_t>(i)], {}});
    make_if_large(sample);
    added.push_back(std::move(sample));
  }
  const std::lock_guard lock(mutex_);
  std::move(added.begin(), added.end(), std::back_inserter(samples_));
}

// Pixels and views once each, and the filters of both axes of crop and blur, which are made in fp64.
std::int64_t UnmadeViews::numbers_of(const ImageSize& image) const {
  constexpr std::int64_t kFloatsOfDouble = 2;
  const auto [height, width] = format_.size;
  const std::int64_t planes = image.height * image.width + height * width;
  const std::int64_t filters = height * (image.height + height) + width * (image.width + width);
  return shape_.channels * planes + kFloatsOfDouble * filters;
}

// Samples whose views go to the same sets, in the order of their rows, and all with images or all with views.
std::vector<UnmadeViews::Group> UnmadeViews::groups() const {
  Group ordered;
  for (const Sample& sample : samples_) ordered.push_back(&sample);
  const auto kind = [](const Sample& sample) { return std::pair(sample.views.front().set, sample.image.defined()); };
  std::sort(ordered.begin(), ordered.end(), [&](const Sample* a, const Sample* b) {
    return std::pair(kind(*a), a->row) < std::pair(kind(*b), b->row);
  });
  std::vector<Group> all;
  ImageSize largest;  // of the last group
  for (const Sample* sample : ordered) {
    const ImageSize own =
        sample->image.defined() ? ImageSize{sample->image.size(1), sample->image.size(2)} : format_.size;
    const ImageSize both{std::max(largest.height, own.height), std::max(largest.width, own.width)};
    const bool is_next = !all.empty() && kind(*sample) == kind(*all.back().front());
    const std::int64_t count = is_next ? static_cast<std::int64_t>(all.back().size()) + 1 : 1;
    const bool fits = is_next && count * numbers_of(both) <= shape_.most_together;
    if (!fits) all.emplace_back();
    all.back().push_back(sample);
    largest = fits ? both : own;
  }
  return all;
}

void UnmadeViews::make_group(const Group& group, std::vector<at::Tensor>& sets) const {
  const at::Device device = sets.front().device();
  std::vector<std::int64_t> rows;
  std::vector<at::Tensor> images;
  for (const Sample* sample : group) {
    rows.push_back(sample->row);
    if (sample->image.defined()) images.push_back(sample->image);
  }
  const at::Tensor places = queued_copy(at::tensor(rows, at::kLong), device);
  const PaddedImages padded = images.empty() ? PaddedImages{} : bring_images(images, device);
  for (std::size_t view = 0; view < group.front()->views.size(); ++view) {
    std::vector<ViewParameters> drawn;
    std::vector<at::Tensor> made;
    for (const Sample* sample : group) {
      drawn.push_back(sample->views[view].drawn);
      if (images.empty()) made.push_back(sample->views[view].made);
    }
    const at::Tensor views = images.empty() ? sent(stacked_to_send(made, device), device)
                                            : make_tensor_views(padded, drawn, options_, format_);
    sets[group.front()->views[view].set].index_copy_(0, places, views);
  }
}

std::vector<at::Tensor> UnmadeViews::make(at::Device device) const {
  std::vector<at::Tensor> sets;
  for (std::size_t set = 0; set < shape_.sets; ++set) {
    sets.push_back(at::empty({shape_.samples, shape_.channels, format_.size.height, format_.size.width},
                             at::TensorOptions(at::kFloat).device(device)));
  }
  for (const Group& group : groups()) make_group(group, sets);
  return sets;
}

}  // namespace negatron
