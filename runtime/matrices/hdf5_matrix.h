#pragma once

#include <filesystem>
#include <string>

#include "runtime/matrices/matrix_file.h"

namespace negatron {

/// A two-dimensional dataset of an HDF5 file.
class Hdf5Matrix : public MatrixFile {
 public:
  /// `dataset` may be empty where there is only one that could be meant. Throws SnapshotError as open_matrix.
  Hdf5Matrix(const std::filesystem::path& path, const std::string& dataset, Hdf5Filters filters);

  std::int64_t rows() const override { return rows_; }
  std::int64_t columns() const override { return columns_; }
  at::ScalarType dtype() const override { return dtype_; }
  at::Tensor read_rows(std::int64_t begin, std::int64_t count) const override {
    return file_.read_rows(dataset_, begin, count);
  }
  at::Tensor read_columns(std::int64_t begin, std::int64_t count) const override {
    return file_.read_columns(dataset_, begin, count);
  }

 private:
  Hdf5Reader file_;
  std::string dataset_;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  at::ScalarType dtype_ = at::kFloat;
};

}  // namespace negatron
