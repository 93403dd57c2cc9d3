#pragma once

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// What each query meets when every query has its own vectors: rows it drew, or vectors made for it.
struct ListedVectors {
  /// [Q, L] q . v
  at::Tensor scores;
  /// [Q, L, d] d score / d q: the vectors themselves, unless they depend on q.
  at::Tensor gradients;
  /// [Q, L] bool, which entries count.
  at::Tensor present;
  /// [Q, L] log weights, finite; undefined for none.
  at::Tensor bias;
  /// [Q, L] bool, entries that are further positives; undefined for none.
  at::Tensor positive;
};

/// The local rows that each query lists, for passes over lists: rows [Q, L] int64, -1 for none, a row may repeat.
/// Vectors [Q, L, d] in the dtype of the queries, 0 where none. Local.
at::Tensor gather_rows(const Rows& rows, const at::Tensor& lists, at::ScalarType dtype);

/// The terms over listed vectors: the same contract as Pass, for entries instead of shared rows. queries [Q, d] say
/// dtype and device only. Local.
PassResult run_listed(const at::Tensor& queries, const ListedVectors& vectors, const std::vector<ScoreTerm>& terms,
                      bool want_max);

}  // namespace negatron
