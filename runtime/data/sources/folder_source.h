#pragma once

#include <filesystem>
#include <memory>

#include "runtime/data/registry.h"
#include "runtime/data/sources/encoded_images.h"

namespace negatron {

/// A folder of JPEG, PNG and WebP files, in folders of any depth. Its folders are classes when there are two or more
/// with images in them and no image beside them; their names, in the order of their bytes, are the labels 0, 1, ... A
/// folder with `train` and one of `val`, `validation` and `test` in it is the training images and the test part.
class FolderSource : public EncodedImages {
 public:
  /// Throws DataError.
  explicit FolderSource(const SourceOptions& options);

  static SourceDescription describe();
  /// True for a folder with an image somewhere in it.
  static bool recognises(const std::filesystem::path& path);

  std::shared_ptr<const ImageSource> test_part() const override;

 private:
  SourceOptions options_;
};

}  // namespace negatron
