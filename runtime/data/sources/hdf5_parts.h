#pragma once

#include <filesystem>
#include <span>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/data_error.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

/// Names that a dataset of some kind may have, the usual one first.
using DatasetNames = std::span<const char* const>;

/// What images are called.
inline constexpr const char* kImageNames[] = {"images", "image", "x", "X", "data"};

/// What `call` returns; what snapshots refuse of files is refused of data.
template <class Call>
auto as_data(const Call& call) {
  try {
    return call();
  } catch (const SnapshotError& error) {
    throw DataError(error.what());
  }
}

/// True for a file that begins like HDF5. Local.
bool begins_like_hdf5(const std::filesystem::path& path);

/// The first of `names` in a group ("train/", or empty for the file itself), with the group before it; empty when none
/// is there. Local. Throws SnapshotError.
std::string first_dataset(const Hdf5Reader& file, const std::string& group, DatasetNames names);

/// Whether a group has images: uint8 of three or four dimensions under a name of theirs. Local. Throws SnapshotError.
bool holds_images(const Hdf5Reader& file, const std::string& group);

/// "train/" where the file has that group and no dataset of `names` beside it; else empty. Local. Throws SnapshotError.
std::string training_group(const Hdf5Reader& file, DatasetNames names);
/// The group of the test part beside a training part in `group`: "test/" or "val/", with a dataset of `names`; empty
/// when there is none. Local. Throws SnapshotError.
std::string test_group(const Hdf5Reader& file, const std::string& group, DatasetNames names);

/// The labels of a group as [samples] int64; undefined when it has none. They are `labels`, `label`, `y`, `Y` or
/// `targets`. Local. Throws SnapshotError, and DataError where they do not fit.
at::Tensor hdf5_labels(const Hdf5Reader& file, const std::filesystem::path& path, const std::string& group,
                       std::int64_t samples);

}  // namespace negatron
