#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"
#include "runtime/data/registry.h"
#include "runtime/matrices/matrix_file.h"

namespace negatron {

/// Features in the place of images: a matrix [n, F] of fp16, fp32 or fp64, a sample a row. Either NAME.npy, with labels
/// [n] of any integer type in NAME.labels.npy, if that is there; or an HDF5 file with the dataset `features`,
/// `embeddings`, `x`, `X` or `data`, and labels as in one of images, in the groups `train` and `test` (or `val`) where
/// there are any. Rows are read when they are asked for; one with a number that is not finite is broken.
class FeatureSource : public ImageSource {
 public:
  /// Opens the training part. Throws DataError.
  explicit FeatureSource(const SourceOptions& options);

  static SourceDescription describe();
  /// True for a file that begins like .npy, and for an HDF5 file with such a dataset and no images.
  static bool recognises(const std::filesystem::path& path);

  std::int64_t size() const override { return rows_->rows(); }
  std::int64_t channels() const override { return rows_->columns(); }
  bool gives_features() const override { return true; }
  ImageSize view_size() const override { return {1, 1}; }
  DecodedImages load(const at::Tensor& ids) const override;
  at::Tensor labels() const override { return labels_; }
  std::shared_ptr<const ImageSource> test_part() const override;
  std::string fingerprint() const override { return fingerprint_; }
  std::int64_t bytes_of_index() const override;

 private:
  /// `group` is one of an HDF5 file: "train/", or empty for the training part wherever it is.
  FeatureSource(const std::filesystem::path& path, const std::string& group);

  void open_npy();
  void open_hdf5();

  std::filesystem::path path_;
  std::string group_;
  std::shared_ptr<const MatrixFile> rows_;
  at::Tensor labels_;
  std::string fingerprint_;
};

}  // namespace negatron
