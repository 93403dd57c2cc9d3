#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/matrices/matrix_file.h"

namespace negatron {

/// How every .npy file begins.
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// A two-dimensional array that numpy.save wrote, format 1.0, 2.0 or 3.0.
class NpyFile : public MatrixFile {
 public:
  /// `name` is what messages call it. Throws SnapshotError as open_matrix.
  NpyFile(std::unique_ptr<InputFile> file, const std::string& name, NpyVoid npy_void);

  std::int64_t rows() const override { return rows_; }
  std::int64_t columns() const override { return columns_; }
  at::ScalarType dtype() const override { return dtype_; }
  bool means_transpose() const override { return fortran_order_; }
  at::Tensor read_rows(std::int64_t begin, std::int64_t count) const override;
  at::Tensor read_columns(std::int64_t begin, std::int64_t count) const override;

 private:
  /// `values` as this machine has them.
  at::Tensor in_our_order(at::Tensor values) const;

  std::unique_ptr<InputFile> file_;
  std::int64_t data_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  at::ScalarType dtype_ = at::kFloat;
  bool fortran_order_ = false;
  bool big_endian_ = false;
};

/// The header of an array of any number of dimensions. Local. Throws SnapshotError, a reason without the file's name.
NpyHeader read_npy_header(const InputFile& file, NpyNumbers numbers, NpyVoid npy_void);

/// A row of whole numbers that numpy.save wrote, of any integer type: [n] int64. Local. Throws SnapshotError that names
/// the file and why it is refused.
at::Tensor read_npy_integers(const FileLayer& files, const std::filesystem::path& path);

/// Whether a file begins as .npy files do, whatever its name. Local. Throws SnapshotError where it cannot be read.
bool begins_like_npy(const FileLayer& files, const std::filesystem::path& path);

}  // namespace negatron
