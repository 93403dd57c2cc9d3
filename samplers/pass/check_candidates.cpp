#include <stdexcept>

#include "comm/require.h"
#include "samplers/pass/candidate_tile.h"

namespace negatron {
namespace {

bool is_long(const at::Tensor& values, std::int64_t size) {
  return values.defined() && values.dim() == 1 && values.size(0) == size && values.scalar_type() == at::kLong;
}

void check_windows(const Rows& rows, const Candidates& candidates, const std::vector<SelectionWindow>& windows) {
  const std::int64_t queries = candidates.queries.size(0);
  for (const SelectionWindow& window : windows) {
    check_order(rows, candidates, window.order);
    require(is_long(window.first, queries) && is_long(window.last, queries),
            "pass: the ends of a selection window must be int64 keys [Q], one for each query");
  }
}

}  // namespace

void check_order(const Rows& rows, const Candidates& candidates, const SelectionOrder& order) {
  using By = SelectionOrder::By;
  const std::int64_t queries = candidates.queries.size(0);
  require(is_long(rows.slots, rows.vectors.size(0)), "selection: rows need their slots, int64 [n]");
  require(order.by != By::kPositiveScore ||
              (candidates.keys.defined() && candidates.keys.sizes() == candidates.queries.sizes()),
          "selection: an order by the positive's score needs positives of the shape of the queries");
  require(!rows.order_factors.defined() ||
              (rows.order_factors.dim() == 1 && rows.order_factors.size(0) == rows.vectors.size(0) &&
               rows.order_factors.scalar_type() == at::kDouble),
          "selection: order factors must be fp64 [n], one for each row");
  require((order.by != By::kRandom && order.by != By::kGumbel) || is_long(candidates.query_index, queries),
          "selection: a random order needs the queries' positions in the global batch, int64 [Q]");
}

void check_candidates(const Rows& rows, const Candidates& candidates) {
  const at::Tensor& queries = candidates.queries;
  require(rows.vectors.defined() && rows.vectors.dim() == 2 && rows.vectors.is_floating_point(),
          "pass: rows must be a floating tensor [n, d]");
  require(queries.defined() && queries.dim() == 2 && queries.size(1) == rows.vectors.size(1),
          "pass: queries must be [Q, d] with the width of the rows");
  require(queries.scalar_type() == at::kFloat || queries.scalar_type() == at::kDouble,
          "pass: queries must be fp32 or fp64");
  const at::Tensor& exclusions = candidates.exclusions;
  require(!exclusions.defined() || (exclusions.dim() == 2 && exclusions.size(1) == 2 &&
                                    (exclusions.is_cpu() || exclusions.device() == rows.vectors.device()) &&
                                    exclusions.scalar_type() == at::kLong),
          "pass: exclusions must be int64 pairs [M, 2] on the host or where the rows are");
  if (candidates.label_rule == LabelRule::kDifferent || candidates.positive_rule == PositiveRule::kSameLabel) {
    require(is_long(candidates.labels, queries.size(0)), "pass: a label rule needs labels of the queries, int64 [Q]");
    require(is_long(rows.labels, rows.vectors.size(0)), "pass: a label rule needs labels of the rows, int64 [n]");
  }
  check_windows(rows, candidates, candidates.windows);
  if (candidates.positive_rule == PositiveRule::kWindow) check_windows(rows, candidates, candidates.positive_windows);
}

}  // namespace negatron
