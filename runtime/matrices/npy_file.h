#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "runtime/matrices/matrix_file.h"

namespace negatron {

/// How every .npy file begins.
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// A two-dimensional array that numpy.save wrote, format 1.0, 2.0 or 3.0.
class NpyFile : public MatrixFile {
 public:
  /// Throws SnapshotError as open_matrix.
  NpyFile(const FileLayer& files, const std::filesystem::path& path);

  std::int64_t rows() const override { return rows_; }
  std::int64_t columns() const override { return columns_; }
  at::ScalarType dtype() const override { return dtype_; }
  bool means_transpose() const override { return fortran_order_; }
  at::Tensor read_rows(std::int64_t begin, std::int64_t count) const override;
  at::Tensor read_columns(std::int64_t begin, std::int64_t count) const override;

 private:
  std::unique_ptr<InputFile> file_;
  std::int64_t data_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  at::ScalarType dtype_ = at::kFloat;
  bool fortran_order_ = false;
};

/// A row of whole numbers that numpy.save wrote, of any integer type: [n] int64. Local. Throws SnapshotError that names
/// the file and why it is refused.
at::Tensor read_npy_integers(const FileLayer& files, const std::filesystem::path& path);

/// Whether a file begins as .npy files do, whatever its name. Local. Throws SnapshotError where it cannot be read.
bool begins_like_npy(const FileLayer& files, const std::filesystem::path& path);

}  // namespace negatron
