#include "samplers/exchange/check_request.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace negatron {
namespace {

void check(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("bank exchange: " + message);
}

bool is_vector(const at::Tensor& values, std::int64_t size) {
  return values.defined() && values.dim() == 1 && values.size(0) == size;
}

bool is_long_vector(const at::Tensor& values, std::int64_t size) {
  return is_vector(values, size) && values.scalar_type() == at::kLong;
}

void check_batch(const Communicator& comm, const Bank& bank, const QueryBatch& batch) {
  check(static_cast<int>(batch.shares.sizes.size()) == comm.size(), "the split must name the queries of every rank");
  check(bank.layout().ranks() == comm.size() && bank.rank() == comm.rank(),
        "the bank is laid out over " + std::to_string(bank.layout().ranks()) + " ranks, the group has " +
            std::to_string(comm.size()));
  const std::int64_t own = batch.shares.size(comm.rank());
  check(batch.queries.defined() && batch.queries.dim() == 2 && batch.queries.size(0) == own &&
            batch.queries.size(1) == bank.width(),
        "queries must be [" + std::to_string(own) + ", " + std::to_string(bank.width()) +
            "], this rank's share of the split and the width of the bank");
  check(batch.queries.scalar_type() == at::kFloat || batch.queries.scalar_type() == at::kDouble,
        "queries must be fp32 or fp64");
  check(!batch.keys.defined() || batch.keys.sizes() == batch.queries.sizes(), "keys must have the shape of queries");
  check(!batch.ids.defined() || is_long_vector(batch.ids, own), "ids must be int64, one for each query");
  check(!batch.labels.defined() || is_long_vector(batch.labels, own), "labels must be int64, one for each query");
}

void check_order(const SelectionOrder& order, const QueryBatch& batch) {
  check(order.by != SelectionOrder::By::kPositiveScore || batch.keys.defined(),
        "an order by the positive's score needs the keys of the batch");
}

void check_pool(const RowPool& pool, const Bank& bank) {
  const std::int64_t rows = bank.shard().rows.vectors.size(0);
  check(!pool.rows.defined() || (is_vector(pool.rows, rows) && pool.rows.scalar_type() == at::kBool),
        "the rows of a pool must be bool [n], one for each row of this rank's shard");
  check(!pool.score_factors.defined() ||
            (is_vector(pool.score_factors, rows) && pool.score_factors.scalar_type() == at::kDouble),
        "the score factors of a pool must be fp64 [n], one for each row of this rank's shard");
}

void check_set(const NegativeSet& set, const Bank& bank, const QueryBatch& batch) {
  const std::int64_t own = batch.queries.size(0);
  check_pool(set.pool, bank);
  check(!set.lists_slots() || !set.pool.is_limited(), "rows that are named do not go with a pool");
  check(std::isfinite(set.weight) && set.weight > 0.0, "the weight of a set must be finite and above 0");
  check(!set.slots.defined() ||
            (set.slots.dim() == 2 && set.slots.size(0) == own && set.slots.scalar_type() == at::kLong),
        "slots must be int64 [b, m]");
  check(set.lists >= 1 && (!set.lists_slots() || set.listed() % set.lists == 0),
        "rows that are named must fall into lists of equal length");
  check(!set.chooses_of_lists() || set.listed() > 0, "a choice needs rows that are named");
  check(!set.draws_as_listed || (set.lists_slots() && set.draws > 0),
        "draws in the order of a list need rows that are named");
  check(!set.pool.score_factors.defined() || (!set.lower_score.defined() && !set.upper_score.defined()),
        "a pool with score factors does not go with score bounds");
  check(!set.lower_score.defined() || is_vector(set.lower_score, own), "score bounds must be [b]");
  check(!set.upper_score.defined() || is_vector(set.upper_score, own), "score bounds must be [b]");
  check(set.first_rank >= 0 && set.last_rank >= 0 && set.draws >= 0 && set.uniform_slots >= 0,
        "ranks and numbers of draws must not be negative");
  check(std::isinf(set.skip_only_above) || set.order.by == SelectionOrder::By::kScore ||
            set.order.by == SelectionOrder::By::kPositiveScore,
        "skip_only_above needs an order by a score");
  if (set.has_rank_window()) check_order(set.order, batch);
  if (set.draws > 0) check_order(set.draw_order, batch);
}

void check_mixes(const MixRecipe& recipe, const Bank& bank) {
  check(recipe.hard >= 1 && recipe.pairs >= 0 && recipe.query_mixes >= 0,
        "mixes need a hard set of at least one row and no negative numbers");
  check(recipe.max_label_share > 0.0 && recipe.max_label_share <= 1.0, "max_label_share must lie in (0, 1]");
  check(recipe.clusters >= 0 && (recipe.clusters > 0 || !recipe.skip_own_cluster),
        "leaving out the own cluster needs a number of clusters");
  std::int64_t pooled = 0;
  for (const HardPool& pool : recipe.pools) {
    check_pool(pool.rows, bank);
    check(pool.hard >= 1, "a pool to mix from needs a hard set of at least one row");
    pooled += pool.hard;
  }
  check(recipe.pools.empty() || pooled == recipe.hard, "the hard sets of the pools must add up to that of the mixes");
  const bool by_owner = recipe.max_label_share < 1.0 || recipe.skip_own_cluster || recipe.pools.size() > 1;
  check(recipe.mode == MixRecipe::Mode::kFetch || !by_owner,
        "labels that matter and several pools need mixes that are fetched");
}

}  // namespace

void check_request(const Communicator& comm, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                   const std::vector<ScoreTerm>& terms) {
  check_batch(comm, bank, batch);
  for (const ScoreTerm& term : terms) check_term(term, batch.queries);
  for (const NegativeSet& set : request.sets) check_set(set, bank, batch);
  if (request.kept) {
    check_set(*request.kept, bank, batch);
    check(request.kept->chooses_of_lists(), "what is kept is chosen of rows that are named");
  }
  const bool label_rules =
      request.label_rule == LabelRule::kDifferent || request.positive_rule == PositiveRule::kSameLabel;
  check(!label_rules || batch.labels.defined(), "a label rule needs labels of the queries");
  if (request.positive_rule == PositiveRule::kWindow) {
    check_set(request.positive_set, bank, batch);
    check(request.positive_set.order.by == SelectionOrder::By::kScore ||
              request.positive_set.order.by == SelectionOrder::By::kPositiveScore,
          "further positives are chosen in an order by a score");
    check_order(request.positive_set.order, batch);
  }
  check(request.max_age >= 0 && request.report_hardest >= 0, "max_age and report_hardest must not be negative");
  check(!request.row_log_weights.defined() || is_vector(request.row_log_weights, bank.shard().rows.vectors.size(0)),
        "row_log_weights must be [n], one for each row of this rank's shard");
  if (request.mixes) check_mixes(*request.mixes, bank);
  check(!request.vectors.defined() || (request.vectors.dim() == 3 && request.vectors.size(0) == batch.queries.size(0) &&
                                       request.vectors.size(2) == bank.width()),
        "extra vectors must be [b, L, d]");
}

}  // namespace negatron
