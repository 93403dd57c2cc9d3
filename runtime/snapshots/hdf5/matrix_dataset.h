#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include "runtime/snapshots/hdf5/hdf5_layout.h"

namespace negatron {

/// Gives the next rows [rows, d] of a matrix.
using MatrixSource = std::function<at::Tensor(std::int64_t rows)>;

/// The bytes of a dataset [n, d] whose rows come block by block, each once: about two blocks are in memory. Local.
class MatrixDataset {
 public:
  MatrixDataset(MatrixSource next, std::int64_t rows, std::int64_t rows_per_block)
      : next_(std::move(next)), rows_(rows), left_(rows), rows_per_block_(rows_per_block) {}
  MatrixDataset(const MatrixDataset&) = delete;
  MatrixDataset& operator=(const MatrixDataset&) = delete;

  /// This object must live until the plan's file is written.
  void add_to(Hdf5Layout& plan, const char* name, at::ScalarType dtype, std::int64_t width);
  /// Whether every row was taken.
  bool done() const noexcept { return left_ == 0; }

 private:
  std::span<const std::byte> bytes(std::size_t at_most);

  MatrixSource next_;
  std::int64_t rows_;
  std::int64_t left_;
  std::int64_t rows_per_block_;
  at::Tensor block_ = at::empty({0});
  std::size_t used_ = 0;
};

}  // namespace negatron
