#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"
#include "samplers/pass/exclusion_list.h"

namespace negatron {

class CandidateSweep;

/// A block of queries against a leaf of rows: which of these rows each of these queries may meet. The only place that
/// decides it, so that passes and selections cannot disagree. What needs work is computed when first asked for. Lives
/// no longer than its CandidateSweep stays on the leaf. b queries, n rows. Local.
class CandidateTile {
 public:
  /// Sets the scores [b, n] of rows that are no candidates to -infinity; the others must be finite. Cheap when only
  /// validity and exclusions decide.
  void hide(const at::Tensor& scores) const;
  /// [b, n] bool, true where the row is no candidate.
  const at::Tensor& barred() const;
  /// [b, n] bool, true where the row is no candidate or none of the query's further positives.
  const at::Tensor& no_positive() const;
  /// [b] int64, how many candidates there are.
  at::Tensor count() const;

  /// [b, n] fp64 q . n
  const at::Tensor& exact_scores() const;
  /// [b, n] int64 selection keys, kAfterAllKeys where the row is no candidate.
  at::Tensor candidate_keys(const SelectionOrder& order) const;

 private:
  friend class CandidateSweep;
  CandidateTile(const CandidateSweep& sweep, Range block);

  at::Tensor keys(const SelectionOrder& order) const;
  at::Tensor order_scores(const SelectionOrder& order) const;
  at::Tensor outside(const std::vector<SelectionWindow>& windows) const;
  at::Tensor same_label() const;
  at::Tensor none_barred() const;

  const CandidateSweep& sweep_;
  Range block_;
  /// Positions of exclusions in the tile, on the device; undefined for none.
  at::Tensor excluded_;
  mutable at::Tensor barred_;
  mutable at::Tensor no_positive_;
  mutable at::Tensor exact_scores_;
  mutable std::vector<std::pair<SelectionOrder, at::Tensor>> keys_;
};

/// Walks over the leaves of some rows with some candidates' rules: what the tiles of one run share. Local; one thread.
class CandidateSweep {
 public:
  /// Both are referred to, not copied, and have passed check_candidates().
  CandidateSweep(const Rows& rows, const Candidates& candidates);

  /// Whether membership depends on scores, which are then those of exact_scores().
  bool has_windows() const;
  void enter(const Leaf& leaf);
  CandidateTile tile(Range block) const { return {*this, block}; }

 private:
  friend class CandidateTile;
  bool only_validity_and_exclusions() const;
  const at::Tensor& exact_rows() const;

  const Rows& rows_;
  const Candidates& candidates_;
  ExclusionList exclusions_;
  Leaf leaf_;
  /// Queries and positives [Q, d] and the rows of the leaf [n, d] in fp64, made when first needed.
  mutable at::Tensor exact_queries_;
  mutable at::Tensor exact_keys_;
  mutable at::Tensor exact_rows_;
};

/// Throws std::invalid_argument when a tensor that a rule needs is missing or a shape or dtype is wrong.
void check_candidates(const Rows& rows, const Candidates& candidates);
/// Throws std::invalid_argument when a tensor that an order needs, by which the candidates are to be ranked, is missing
/// or of a wrong shape or dtype.
void check_order(const Rows& rows, const Candidates& candidates, const SelectionOrder& order);

}  // namespace negatron
