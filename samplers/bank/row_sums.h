#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Rows [n, d] and behind them rows [m, d] of the same dtype and device, counted through without being put together:
/// place p is row p of the first, and from n on row p - n of the second.
struct StackedRows {
  at::Tensor first;
  at::Tensor second;
};

/// Which rows are added to each sum: those at places[begins[i]] to places[begins[i + 1] - 1] to sum i, in that order.
struct RowTerms {
  std::vector<std::int64_t> begins;  // [m + 1]
  std::vector<std::int64_t> places;

  std::int64_t size() const { return static_cast<std::int64_t>(begins.size()) - 1; }
};

/// [n, d] the rows at those places, in `type`, on their device. Local.
at::Tensor gather_stacked(const StackedRows& rows, const std::vector<std::int64_t>& places, at::ScalarType type);

/// [m, d] the sums, each of at least one row, in the dtype of the rows: the same bits on any number of threads and in
/// every run, on a GPU as well. Local.
at::Tensor sum_stacked(const StackedRows& rows, const RowTerms& terms);

/// What both do on a device, of operations of ATen: on the host too, where tests compare them with the loops there.
at::Tensor gather_by_index(const StackedRows& rows, const std::vector<std::int64_t>& places, at::ScalarType type);
at::Tensor sum_by_index(const StackedRows& rows, const RowTerms& terms);

/// Adds values [m, d] to those rows of `sums` [n, d] that `rows` [m] int64 name, which may be there several times: in
/// the same order in every run, on a GPU as well, where Tensor::index_add_ has none. Local.
void add_in_order(const at::Tensor& sums, const at::Tensor& rows, const at::Tensor& values);

}  // namespace negatron
