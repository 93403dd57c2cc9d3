#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"
#include "runtime/data/registry.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"

namespace negatron {

/// An HDF5 file with images [n, H, W, C], [n, C, H, W] or [n, H, W] uint8 of 1 or 3 channels, plain or compressed by
/// gzip, and perhaps labels [n]. The images are the dataset `images`, `image`, `x`, `X` or `data`, the labels `labels`,
/// `label`, `y`, `Y` or `targets`; in the group `train` where there is one, and then those of `test` or `val` are the
/// test part. Images are read when they are asked for: chunks of one image each are read fastest.
class Hdf5Source : public ImageSource {
 public:
  /// Opens the training images. Throws DataError.
  explicit Hdf5Source(const SourceOptions& options);

  static SourceDescription describe();
  /// True for a file that begins like HDF5.
  static bool recognises(const std::filesystem::path& path);

  std::int64_t size() const override { return size_; }
  std::int64_t channels() const override { return channels_; }
  ImageSize view_size() const override { return image_size_; }
  DecodedImages load(const at::Tensor& ids) const override;
  at::Tensor labels() const override { return labels_; }
  std::shared_ptr<const ImageSource> test_part() const override;
  std::string fingerprint() const override;
  std::string content_sample() const override { return sample_of_loaded(*this); }
  std::int64_t bytes_of_index() const override;

 private:
  /// `group` is "train/", or empty for the file itself.
  Hdf5Source(std::shared_ptr<const Hdf5Reader> file, const std::filesystem::path& path, const std::string& group);

  void find_images(const std::string& group);

  std::filesystem::path path_;
  std::shared_ptr<const Hdf5Reader> file_;
  std::string group_;
  std::string dataset_;
  std::int64_t size_ = 0;
  std::int64_t channels_ = 0;
  ImageSize image_size_;
  /// Of the dataset: behind the rows, as [n, H, W, C] has it.
  bool channels_last_ = false;
  at::Tensor labels_;
};

}  // namespace negatron
