#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/data/image_source.h"
#include "runtime/data/registry.h"
#include "runtime/data/sources/read_file.h"

namespace negatron {

/// A folder of CIFAR-10 (data_batch_1.bin ..., test_batch.bin) or CIFAR-100 (train.bin, test.bin) in its binary form:
/// colour images of 32 x 32, each behind its label. Of CIFAR-100's two labels it takes the fine one. Images stay in
/// the files; the labels are read at the start.
///
/// Format (Krizhevsky 2009): records of 1 label byte (CIFAR-100: 2, coarse and fine) and 3072 of pixels: 32 rows of
/// red, then of green, then of blue.
class CifarSource : public ImageSource {
 public:
  /// Opens the training images. Throws DataError.
  explicit CifarSource(const SourceOptions& options);

  static SourceDescription describe();
  static bool recognises(const std::filesystem::path& path);

  std::int64_t size() const override { return labels_.size(0); }
  std::int64_t channels() const override;
  ImageSize view_size() const override;
  DecodedImages load(const at::Tensor& ids) const override;
  at::Tensor labels() const override { return labels_; }
  std::vector<std::string> label_names() const override { return names_; }
  std::shared_ptr<const ImageSource> test_part() const override;
  std::string fingerprint() const override;
  std::string content_sample() const override { return sample_of_loaded(*this); }
  std::int64_t bytes_of_index() const override { return static_cast<std::int64_t>(labels_.nbytes()); }

 private:
  enum class Part { kTrain, kTest };
  CifarSource(const std::filesystem::path& folder, Part part);

  /// Bytes of a record before its pixels.
  std::int64_t label_bytes() const { return has_two_labels_ ? 2 : 1; }
  std::int64_t record_bytes() const;
  void read_labels();

  std::filesystem::path folder_;
  Part part_;
  bool has_two_labels_;
  std::vector<std::unique_ptr<const ReadFile>> files_;
  at::Tensor labels_;
  std::vector<std::string> names_;
};

}  // namespace negatron
