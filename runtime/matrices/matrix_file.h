#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "runtime/matrices/npy_header.h"
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
  /// Bytes of it that lie in memory, because its file cannot be read in parts.
  virtual std::int64_t held_bytes() const { return 0; }

  /// [count, columns()]
  virtual at::Tensor read_rows(std::int64_t begin, std::int64_t count) const = 0;
  /// [rows(), count]
  virtual at::Tensor read_columns(std::int64_t begin, std::int64_t count) const = 0;
};

/// Which matrix of a file is meant, and what may be done to read it.
struct MatrixRequest {
  /// Of a dataset, array or tensor; empty for the only matrix that the file holds.
  std::string name{};
  Hdf5Filters filters = Hdf5Filters::kNone;
  NpyVoid npy_void = NpyVoid::kRefused;
  /// What must lie in memory may take so many bytes.
  std::int64_t most_held_bytes = std::numeric_limits<std::int64_t>::max();
};

/// Refuses to take more memory for `name` than the request allows. Local. Throws SnapshotError that names --memory.
void require_held(std::int64_t bytes, const MatrixRequest& request, const std::string& name);

/// Opens a matrix in a file whose first bytes say what it is: .npy and .npz of numpy, HDF5, safetensors, and what
/// torch.save wrote (a tensor, a state dict, or a checkpoint that holds one). Nothing in a file is run. Throws
/// SnapshotError, or WeightsError, that names the file and why it is refused: of no such kind, a name that it has not
/// or several matrices without a name (with those that it has), not two-dimensional, empty, not fp16, bf16, fp32 or
/// fp64, pickled objects, sizes that the file does not have, more than may be held, and all that Hdf5Reader refuses.
std::unique_ptr<MatrixFile> open_matrix(const FileLayer& files, const std::filesystem::path& path,
                                        const MatrixRequest& request);

}  // namespace negatron
