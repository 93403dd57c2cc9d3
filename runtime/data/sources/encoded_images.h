#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"
#include "runtime/data/source_options.h"
#include "runtime/data/sources/encoded_files.h"

namespace negatron {

/// Labels count classes off, and so a number as large as this is none.
inline constexpr std::int64_t kMostLabels = 10'000'000;

/// Labels of a set of images.
struct ImageLabels {
  /// [n] int64 from 0; undefined for none.
  at::Tensor of_images;
  /// Empty where labels are numbers only.
  std::vector<std::string> names;
};

/// Image files that are read and decoded when they are asked for. What all of them have in common is told by the first
/// bytes of 64 of them, evenly spaced: grey where all of these are, else colour; views as large as these where they
/// have one size of at most 256 pixels a side, else squares as high as the median of their shorter sides, at most 224.
class EncodedImages : public ImageSource {
 public:
  /// Throws DataError when there are no files, or none of those that were looked at is an image.
  EncodedImages(std::shared_ptr<const EncodedFiles> files, ImageLabels labels, const SourceOptions& options);

  std::int64_t size() const override { return files_->size(); }
  std::int64_t channels() const override { return channels_; }
  ImageSize view_size() const override { return view_size_; }
  DecodedImages load(const at::Tensor& ids) const override;
  /// Of JPEG only what the crops need; see decode_crops().
  ImageParts load_parts(const at::Tensor& ids, const CropsOfImage& crops) const override;
  at::Tensor labels() const override { return labels_.of_images; }
  std::vector<std::string> label_names() const override { return labels_.names; }
  std::string fingerprint() const override { return files_->fingerprint(); }
  /// Of the files whose first bytes were looked at, as they lie there.
  std::string content_sample() const override { return content_sample_; }
  std::int64_t bytes_of_index() const override;

 private:
  /// Finds channels_, view_size_ and content_sample_.
  void look_at_heads(const SourceOptions& options);

  std::shared_ptr<const EncodedFiles> files_;
  ImageLabels labels_;
  std::int64_t channels_ = 3;
  ImageSize view_size_;
  std::string content_sample_;
  std::int64_t most_pixels_;
};

}  // namespace negatron
