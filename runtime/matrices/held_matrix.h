#pragma once

#include <utility>

#include "runtime/matrices/matrix_file.h"

namespace negatron {

/// A matrix that lies in memory, [rows, columns] of floating numbers, with any strides.
class HeldMatrix : public MatrixFile {
 public:
  explicit HeldMatrix(at::Tensor values) : values_(std::move(values)) {}

  std::int64_t rows() const override { return values_.size(0); }
  std::int64_t columns() const override { return values_.size(1); }
  at::ScalarType dtype() const override { return values_.scalar_type(); }
  std::int64_t held_bytes() const override { return static_cast<std::int64_t>(values_.nbytes()); }
  at::Tensor read_rows(std::int64_t begin, std::int64_t count) const override {
    return values_.narrow(0, begin, count).contiguous();
  }
  at::Tensor read_columns(std::int64_t begin, std::int64_t count) const override {
    return values_.narrow(1, begin, count).contiguous();
  }

 private:
  at::Tensor values_;
};

}  // namespace negatron
