#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/selection/selection_key.h"

namespace negatron {

enum class LabelRule {
  kAny,       ///< labels do not matter
  kDifferent  ///< a row with the query's label does not score (class oracle, samplers/negative_samplers/SAMPLERS.md 15)
};

/// Which candidates are further positives of a query, for terms over TermRows::kPositives.
enum class PositiveRule {
  kNone,
  kSameLabel,  ///< candidates with the query's label (SupCon)
  kWindow      ///< candidates inside `Candidates::positive_windows`
};

/// Keeps, for each query, the rows whose key in `order` lies in [first, last). first, last [Q] int64.
struct SelectionWindow {
  SelectionOrder order;
  at::Tensor first;
  at::Tensor last;
};

/// Queries and which rows each of them may meet: rows that are valid and that every rule lets through. Labels below 0
/// are unknown and never equal.
struct Candidates {
  /// [Q, d] fp32 or fp64.
  at::Tensor queries;
  /// [Q, d] their positives, for orders by kPositiveScore; undefined when no order needs them.
  at::Tensor keys;
  /// [Q] int64 position of each query in the global batch, for random orders; undefined when no order needs it.
  at::Tensor query_index;
  /// [Q] int64; undefined when no rule needs them.
  at::Tensor labels;
  /// [M, 2] int64: pairs (query, row) that must not score, each pair once and of a valid row; one with a -1 excludes
  /// nothing. On the host, or for passes where the rows are (cuda/device_exclusions.h). Undefined for none.
  at::Tensor exclusions;
  LabelRule label_rule = LabelRule::kAny;
  /// All of them apply.
  std::vector<SelectionWindow> windows;
  PositiveRule positive_rule = PositiveRule::kNone;
  std::vector<SelectionWindow> positive_windows;
};

/// What some of the queries may meet: those numbered by index [k] int64, ascending. Exclusions are those of these
/// queries, renumbered, on the host. Local.
Candidates select_queries(const Candidates& all, const at::Tensor& index);

}  // namespace negatron
