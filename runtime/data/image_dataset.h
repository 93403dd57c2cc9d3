#pragma once

#include <cstdint>
#include <filesystem>

#include <ATen/ATen.h>

#include "comm/share.h"

namespace negatron {

/// Where Debian's package dataset-fashion-mnist puts the four files of the built-in example.
inline constexpr const char* kDefaultDataDirectory = "/usr/share/datasets/fashion-mnist";

/// Images in memory, with one label each. Replicated: every rank holds the same.
struct ImageDataset {
  at::Tensor images;  // [N, C, H, W] uint8
  at::Tensor labels;  // [N] int64

  std::int64_t size() const { return images.size(0); }
  std::int64_t channels() const { return images.size(1); }
  std::int64_t height() const { return images.size(2); }
  std::int64_t width() const { return images.size(3); }
  /// One more than the highest label.
  std::int64_t classes() const;
  /// The samples in `range`; shares storage. How a part of the training set is held out for choosing options.
  ImageDataset slice(Range range) const;
  /// The samples `indices` [n] int64, copied.
  ImageDataset select(const at::Tensor& indices) const;
};

enum class DataPart { kTrain, kTest };

/// Reads {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz] from `directory`. Local. Throws `DataError`.
ImageDataset load_idx_dataset(const std::filesystem::path& directory, DataPart part);

}  // namespace negatron
