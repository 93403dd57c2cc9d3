#pragma once

#include <cstdint>
#include <vector>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"

namespace negatron::testing {

/// Which rows a query may meet and in which order, by definition: one row at a time, then a full sort. What passes and
/// selections are compared with.
class PlainCandidates {
 public:
  PlainCandidates(const Rows& rows, const Candidates& candidates);

  std::int64_t queries() const { return queries_.size(0); }
  std::int64_t rows() const { return vectors_.size(0); }
  bool is_candidate(std::int64_t query, std::int64_t row) const;
  bool is_positive(std::int64_t query, std::int64_t row) const;

  /// The key of any row, candidate or not.
  std::int64_t key(const SelectionOrder& order, std::int64_t query, std::int64_t row) const;
  /// The keys of the query's candidates, best row first: larger fp32 score, then lower slot.
  std::vector<std::int64_t> sorted_keys(const SelectionOrder& order, std::int64_t query) const;

 private:
  float score(const SelectionOrder& order, std::int64_t query, std::int64_t row) const;
  double factor(std::int64_t row) const;
  bool inside(const std::vector<SelectionWindow>& windows, std::int64_t query, std::int64_t row) const;
  bool same_label(std::int64_t query, std::int64_t row) const;

  const Rows& given_rows_;
  const Candidates& given_;
  at::Tensor queries_;
  at::Tensor vectors_;
  at::Tensor scores_;           // [Q, n] fp64 q . n
  at::Tensor positive_scores_;  // [Q, n] fp64 k+ . n
};

/// The key of a score and a slot: both halves by the definition in selection_key.h.
std::int64_t plain_key(float score, std::int64_t slot);
/// The random number of a query and a slot, drawn by walking the query's stream.
double plain_uniform(const SelectionOrder& order, std::int64_t query_index, std::int64_t slot);

/// The twin of Pass::best().
at::Tensor plain_best_keys(const Rows& rows, const Candidates& candidates, const SelectionOrder& order, std::int64_t m);

}  // namespace negatron::testing
