#pragma once

// For the sources of this folder only. All of it under an Hdf5Lock.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/snapshots/hdf5/hdf5_handle.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"

namespace negatron {

/// A dataset that was found fit to be read: plain numbers in the file itself, no more of them than it can hold.
struct CheckedDataset {
  Hdf5Handle dataset;
  Hdf5Handle type;
  Hdf5Handle space;
  std::vector<std::int64_t> shape;
  std::int64_t elements = 1;
  /// Its bytes go through a filter.
  bool filtered = false;
};

/// An open file that somebody else may have made, and what is asked of its datasets before any of them is read. All
/// functions are local and throw SnapshotError with the name of dataset and file.
struct CheckedFile {
  std::filesystem::path path;
  Hdf5Handle handle;
  std::int64_t bytes = 0;
  Hdf5Filters filters = Hdf5Filters::kNone;

  /// "'NAME' of 'PATH'", for messages.
  std::string of(const std::string& name) const;
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const;

  /// Refuses a name on whose way a link leads out of the file.
  void follow(const std::string& name) const;
  /// Refuses an object whose attributes HDF5 could not list without a crash: to be asked before it does.
  void check_attributes(const std::string& object) const;
  /// Opens a dataset, and refuses it where its storage, shape or chunks are not those of a plain one.
  CheckedDataset open(const std::string& name) const;
  /// Of what is behind filters, looks at the chunks of the block [begin, begin + count) before it is read.
  void check_block(const std::string& name, const CheckedDataset& opened, const std::vector<std::int64_t>& begin,
                   const std::vector<std::int64_t>& count) const;
  at::ScalarType dtype_of(const std::string& name, const CheckedDataset& opened) const;
};

}  // namespace negatron
