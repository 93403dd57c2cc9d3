#pragma once

#include <filesystem>
#include <memory>

#include "runtime/data/registry.h"
#include "runtime/data/sources/encoded_images.h"

namespace negatron {

/// Shards as WebDataset writes them: tar archives of samples, each an image and perhaps its label (tar_index.h). Any
/// image is read by its place, so that an epoch has a true order of all of them and not one of shards. `train` and one
/// of `val`, `validation` and `test` in a folder, with archives in them, are the training images and the test part.
class TarSource : public EncodedImages {
 public:
  /// Throws DataError.
  explicit TarSource(const SourceOptions& options);

  static SourceDescription describe();
  static bool recognises(const std::filesystem::path& path);
  /// Leaves the index of each shard beside it.
  static void prepare(const SourceOptions& options);

  std::shared_ptr<const ImageSource> test_part() const override;

 private:
  SourceOptions options_;
};

}  // namespace negatron
