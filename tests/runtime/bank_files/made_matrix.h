#pragma once

#include <utility>

#include "runtime/matrices/matrix_file.h"

namespace negatron::testing {

/// A matrix in memory in place of a file.
class MadeMatrix : public MatrixFile {
 public:
  explicit MadeMatrix(at::Tensor values, bool transposed = false)
      : values_(std::move(values)), transposed_(transposed) {}
  std::int64_t rows() const override { return values_.size(0); }
  std::int64_t columns() const override { return values_.size(1); }
  at::ScalarType dtype() const override { return values_.scalar_type(); }
  bool means_transpose() const override { return transposed_; }
  at::Tensor read_rows(std::int64_t begin, std::int64_t count) const override {
    return values_.narrow(0, begin, count).contiguous();
  }
  at::Tensor read_columns(std::int64_t begin, std::int64_t count) const override {
    return values_.narrow(1, begin, count).contiguous();
  }

 private:
  at::Tensor values_;
  bool transposed_;
};

}  // namespace negatron::testing
