#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/view_format.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// Views that were drawn for samples, of one set of a batch's views.
struct DrawnViews {
  std::size_t set = 0;
  std::vector<ViewParameters> drawn;  // of each sample
};

/// The views of a batch while they are not made: what was drawn, and the bytes of the images, which are fewer than the
/// views have. Views are made of them where they are used. Of an image with more bytes than its views have (a large one
/// of which two small or distant crops leave much, or that is decoded whole) they are made on the host, so that what
/// waits takes no more memory than a batch of views, and no more travels. Local.
class UnmadeViews {
 public:
  /// How many sets of views, of so many samples each.
  struct Shape {
    std::size_t sets = 2;
    std::int64_t samples = 0;
    std::int64_t channels = 1;
    /// Numbers that may be in memory for the samples that are made together: half a gigabyte of floats.
    std::int64_t most_together = std::int64_t{1} << 27;
  };
  /// options: what views are drawn from.
  UnmadeViews(const AugmentationOptions& options, const ViewFormat& format, const Shape& shape);

  /// Of samples `first_row` and behind, in every set once. images: m of [C, h, w] uint8 on the host. views: of each of
  /// them m, whose crops are shares of these images. Thread-safe.
  void add(std::int64_t first_row, const DecodedImages& images, const std::vector<DrawnViews>& views);

  /// Every set of views, [samples, C, H, W] float, normalised, on `device`, when all were added and none is any more.
  /// The same bits whatever order they were added in.
  std::vector<at::Tensor> make(at::Device device) const;

 private:
  struct View {
    std::size_t set = 0;
    ViewParameters drawn;
    at::Tensor made;  // [C, H, W] float, normalised; undefined where its image is there
  };
  /// Some views of a sample.
  struct Sample {
    std::int64_t row = 0;
    at::Tensor image;  // [C, h, w] uint8; undefined where its views are made
    std::vector<View> views;
  };
  /// Samples that are made together.
  using Group = std::vector<const Sample*>;

  /// Makes the views of an image that is larger than they are.
  void make_if_large(Sample& sample) const;
  /// Numbers that making the views of one sample has in memory, where its image is padded to that size.
  std::int64_t numbers_of(const ImageSize& image) const;
  std::vector<Group> groups() const;
  void make_group(const Group& group, std::vector<at::Tensor>& sets) const;

  AugmentationOptions options_;
  ViewFormat format_;
  Shape shape_;
  std::mutex mutex_;
  std::vector<Sample> samples_;
};

}  // namespace negatron
