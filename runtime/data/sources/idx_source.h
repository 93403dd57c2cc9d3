#pragma once

#include <filesystem>
#include <memory>

#include "runtime/data/registry.h"
#include "runtime/data/sources/images_in_memory.h"

namespace negatron {

enum class DataPart { kTrain, kTest };

/// A folder of IDX files as MNIST and its relatives are given: train-images-idx3-ubyte and perhaps
/// train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte. Names may have a dot before `idx`,
/// `test` in the place of `t10k`, something in front ("emnist-letters-train-..."), and .gz at the end. Images are [n,
/// H, W]; [n, H, W, C] or [n, C, H, W] of 1 or 3 channels; or [n, D], which are squares where D is one, else a row.
/// They lie in memory, as bytes.
class IdxSource : public ImagesInMemory {
 public:
  /// Reads the training images. Throws DataError.
  explicit IdxSource(const SourceOptions& options) : IdxSource(options.path, DataPart::kTrain) {}
  /// Reads one part.
  IdxSource(const std::filesystem::path& directory, DataPart part);

  static SourceDescription describe();
  /// True for a folder that holds any of the files.
  static bool recognises(const std::filesystem::path& path);

  /// Null for a test part, and where there is none.
  std::shared_ptr<const ImageSource> test_part() const override;

 private:
  std::filesystem::path directory_;
  DataPart part_;
};

}  // namespace negatron
