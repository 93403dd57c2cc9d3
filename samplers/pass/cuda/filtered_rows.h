#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// The candidates of each query that score at least its threshold, m slots a query. Of a query with counts <= m they
/// are all there, in its first slots, in no order; of one with more it is not said which, and the other slots mean
/// nothing.
struct FilteredRows {
  at::Tensor scores;  // [Q, m] fp32
  at::Tensor rows;    // [Q, m] int32
  at::Tensor counts;  // [Q] int32, how many reach the threshold
};

}  // namespace negatron
