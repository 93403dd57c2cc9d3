#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"

namespace negatron {

/// A matrix of floating numbers in a file that somebody else made, as its bytes lie: rows() by columns(), row after
/// row. Local. Functions throw SnapshotError.
class MatrixFile {
 public:
  virtual ~MatrixFile() = default;
  virtual std::int64_t rows() const = 0;
  virtual std::int64_t columns() const = 0;
  virtual at::ScalarType dtype() const = 0;
  /// Whether the file means the transpose of what lies in it (Fortran order).
  virtual bool means_transpose() const { return false; }

  /// [count, columns()]
  virtual at::Tensor read_rows(std::int64_t begin, std::int64_t count) const = 0;
  /// [rows(), count]
  virtual at::Tensor read_columns(std::int64_t begin, std::int64_t count) const = 0;
};

/// Opens a .npy file (known by its first bytes), or else the dataset `dataset` of an HDF5 file; empty: the only one
/// that it holds. Throws SnapshotError that names the file and why it is refused: not two-dimensional, empty, not fp16,
/// bf16, fp32 or fp64 in little-endian order, pickled objects, sizes that the file does not have, and all that
/// Hdf5Reader refuses.
std::unique_ptr<MatrixFile> open_matrix(const FileLayer& files, const std::filesystem::path& path,
                                        const std::string& dataset, Hdf5Filters filters = Hdf5Filters::kNone);

}  // namespace negatron
