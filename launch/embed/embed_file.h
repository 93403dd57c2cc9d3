#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/evaluation/feature_rounds.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/new_path.h"
#include "runtime/snapshots/hdf5/hdf5_layout.h"

namespace negatron {

/// Where the rows of all images go.
struct EmbedTarget {
  /// Ends in .npy, .h5 or .hdf5.
  std::filesystem::path path;
  /// "features" or "embeddings": the dataset of an HDF5 file.
  std::string dataset;
  bool has_labels = false;
  Existing existing = Existing::kRefused;
  /// Of an HDF5 file.
  std::vector<Hdf5Attribute> attributes;
};

/// The files that are written: OUT.npy, OUT.ids.npy and, with labels, OUT.labels.npy, as `--data OUT.npy` reads them;
/// or one HDF5 file. Local. Throws UsageError for another ending.
std::vector<std::filesystem::path> files_of(const EmbedTarget& target);

/// Writes the rows of `rounds`, all `images` of them; OUT last, so that it is whole when it is there. On the rank that
/// writes; the others call next() as often. Returns the shape of the rows. Throws SnapshotError, and FailedTogether
/// where another rank could not go on.
std::vector<std::int64_t> write_rounds(FileLayer& files, const EmbedTarget& target, std::int64_t images,
                                       FeatureRounds& rounds);

}  // namespace negatron
