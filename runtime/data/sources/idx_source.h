#pragma once

#include <filesystem>
#include <memory>

#include "runtime/data/images_in_memory.h"

namespace negatron {

enum class DataPart { kTrain, kTest };

/// A folder of the four IDX files {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz], as MNIST and its relatives are
/// given: grey images of one size with labels, and a test part. They lie in memory, as bytes.
class IdxSource : public ImagesInMemory {
 public:
  /// Reads one part, by default the training images. Throws DataError.
  explicit IdxSource(const std::filesystem::path& directory, DataPart part = DataPart::kTrain);

  /// True for a folder that holds any of the files.
  static bool recognises(const std::filesystem::path& path);

  /// Null for a test part.
  std::shared_ptr<const ImageSource> test_part() const override;

 private:
  std::filesystem::path directory_;
  DataPart part_;
};

}  // namespace negatron
