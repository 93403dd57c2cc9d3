#include "runtime/data/views/averaged_crop.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "comm/share.h"
#include "runtime/data/views/filter_kernel.h"

namespace negatron {
namespace {

/// Along one axis: what each output is made of.
struct Taps {
  /// The first input of each output.
  std::vector<std::int32_t> first;
  /// [taps][outputs]; 0 where an output has fewer.
  std::vector<float> weights;
  std::int64_t taps = 0;

  float weight(std::int64_t tap, std::int64_t output) const {
    const auto outputs = static_cast<std::int64_t>(first.size());
    return weights[static_cast<std::size_t>(tap * outputs + output)];
  }
};

/// Inputs around `centre`, in pixels, of which the filter of width `support` counts.
Range inputs_under(double centre, double support, std::int64_t inputs) {
  const auto begin = static_cast<std::int64_t>(std::floor(centre - support + 0.5));
  const auto end = static_cast<std::int64_t>(std::floor(centre + support + 0.5));
  return {std::clamp<std::int64_t>(begin, 0, inputs - 1), std::clamp<std::int64_t>(end, 1, inputs)};
}

/// Triangles of height 1 around `centre` at the middles of the pixels of `range`, divided by their sum.
std::vector<double> triangle(Range range, double centre, double support) {
  std::vector<double> weights;
  double sum = 0.0;
  for (std::int64_t pixel = range.begin; pixel < range.end; ++pixel) {
    const double distance = std::abs(static_cast<double>(pixel) + 0.5 - centre) / support;
    weights.push_back(std::max(0.0, 1.0 - distance));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// Example: a crop of 6 pixels from pixel 2 on becomes 3. The outputs are 2 pixels apart, with middles at 3, 5 and 7,
// and triangles of half-width 2: the first is 1/8, 3/8, 3/8 and 1/8 of pixels 1 to 4, also where pixel 1 lies outside
// the crop.
Taps taps_of(double start, double extent, std::int64_t inputs, std::int64_t outputs) {
  const double scale = std::abs(extent) * static_cast<double>(inputs) / static_cast<double>(outputs);
  const double support = std::max(1.0, scale);
  Taps taps;
  std::vector<Range> ranges;
  std::vector<double> centres;
  for (std::int64_t output = 0; output < outputs; ++output) {
    const double share = (static_cast<double>(output) + 0.5) / static_cast<double>(outputs);
    centres.push_back((start + extent * share) * static_cast<double>(inputs));
    ranges.push_back(inputs_under(centres.back(), support, inputs));
    taps.taps = std::max(taps.taps, ranges.back().size());
  }
  taps.weights.resize(static_cast<std::size_t>(taps.taps * outputs), 0.0F);
  for (std::int64_t output = 0; output < outputs; ++output) {
    const Range& range = ranges[static_cast<std::size_t>(output)];
    // All outputs have as many taps, and those of the last ones must not lie behind the image.
    const std::int64_t first = std::min(range.begin, inputs - taps.taps);
    taps.first.push_back(static_cast<std::int32_t>(first));
    const std::vector<double> weights = triangle(range, centres[static_cast<std::size_t>(output)], support);
    for (std::int64_t pixel = range.begin; pixel < range.end; ++pixel) {
      taps.weights[static_cast<std::size_t>((pixel - first) * outputs + output)] =
          static_cast<float>(weights[static_cast<std::size_t>(pixel - range.begin)]);
    }
  }
  return taps;
}

/// The inputs that any output is made of.
Range used_inputs(const Taps& taps) {
  const auto [least, most] = std::minmax_element(taps.first.begin(), taps.first.end());
  return {*least, *most + taps.taps};
}

/// Sum of the rows that output row `y` is made of.
void sum_rows(const std::uint8_t* plane, std::int64_t stride, const Taps& rows, std::int64_t y, std::span<float> sum) {
  const auto columns = static_cast<std::int64_t>(sum.size());
  const std::uint8_t* row = plane + rows.first[static_cast<std::size_t>(y)] * stride;
  std::fill(sum.begin(), sum.end(), 0.0F);
  for (std::int64_t tap = 0; tap < rows.taps; ++tap) {
    // As many taps as the other rows have may lie outside the filter, where weights are 0.
    if (rows.weight(tap, y) > 0.0F) add_rows(row + tap * stride, columns, rows.weight(tap, y), sum.data());
  }
}

/// Some rows of a view at a time, with the memory that they need in between.
class RowFilter {
 public:
  RowFilter(const ColumnTaps& columns, std::int64_t inputs)
      : columns_(columns),
        inputs_(static_cast<std::size_t>(inputs)),
        sums_(inputs_ * kLanes, 0.0F),
        lanes_(sums_.size()),
        filtered_(static_cast<std::size_t>(columns.outputs * kLanes)),
        rows_(filtered_.size()) {}

  /// Where the sum of rows goes from which a row of the view is made.
  std::span<float> sum(std::int64_t lane) {
    return std::span(sums_).subspan(static_cast<std::size_t>(lane) * inputs_, inputs_);
  }
  /// Makes so many rows of the view of the sums.
  void apply(std::int64_t count, float* out) {
    put_beside(sums_.data(), static_cast<std::int64_t>(inputs_), lanes_.data());
    filter_columns(lanes_.data(), columns_, filtered_.data());
    take_apart(filtered_.data(), columns_.outputs, rows_.data());
    std::copy_n(rows_.data(), count * columns_.outputs, out);
  }

 private:
  ColumnTaps columns_;
  std::size_t inputs_;
  std::vector<float> sums_, lanes_, filtered_, rows_;
};

}  // namespace

void average_crop(const at::Tensor& image, const CropBox& crop, at::Tensor& view) {
  const at::Tensor pixels = image.contiguous();
  const std::int64_t height = pixels.size(1), width = pixels.size(2);
  const Taps rows = taps_of(crop.top, crop.height, height, view.size(1));
  Taps columns = taps_of(crop.left, crop.width, width, view.size(2));
  const Range used = used_inputs(columns);
  for (std::int32_t& first : columns.first) first -= static_cast<std::int32_t>(used.begin);
  RowFilter filter({columns.first.data(), columns.weights.data(), columns.taps, view.size(2)}, used.size());
  auto* out = view.mutable_data_ptr<float>();
  for (std::int64_t channel = 0; channel < pixels.size(0); ++channel) {
    const auto* plane = pixels.const_data_ptr<std::uint8_t>() + channel * height * width + used.begin;
    for (std::int64_t y = 0; y < view.size(1); y += kLanes) {
      const std::int64_t count = std::min(kLanes, view.size(1) - y);
      for (std::int64_t lane = 0; lane < count; ++lane) sum_rows(plane, width, rows, y + lane, filter.sum(lane));
      filter.apply(count, out);
      out += count * view.size(2);
    }
  }
}

}  // namespace negatron
