#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "samplers/random/philox.h"
#include "tests/reference/plain_mixes.h"
#include "tests/reference/plain_negatives.h"
#include "tests/reference/plain_selection.h"

namespace negatron::testing {

/// What one query meets, one entry after the other.
struct PlainMet {
  std::vector<at::Tensor> vectors;
  std::vector<double> bias;
  std::vector<bool> positive;

  void add(const at::Tensor& vector, double log_weight = 0.0, bool is_positive = false) {
    vectors.push_back(vector);
    bias.push_back(log_weight);
    positive.push_back(is_positive);
  }
};

/// What one query may meet and meets of a request, by its definition: one row at a time, then full sorts.
class PlainQuery {
 public:
  using Indices = std::vector<std::int64_t>;

  PlainQuery(const PlainBank& bank, const QueryBatch& batch, const NegativeRequest& request,
             const PlainCandidates& candidates, std::int64_t query)
      : bank_(bank),
        request_(request),
        candidates_(candidates),
        query_(query),
        index_(batch.shares.first + query),
        label_(batch.labels.defined() ? batch.labels[query].item<std::int64_t>() : -1),
        vector_(batch.queries[query].to(at::kDouble)),
        vectors_(bank.rows.vectors.to(at::kDouble)) {
    for (std::int64_t row = 0; row < candidates.rows(); ++row) {
      if (is_candidate(batch, row)) rows_.push_back(row);
    }
    find_positives();
  }

  PlainMet meet_sets() const {
    PlainMet met;
    for (const NegativeSet& set : request_.sets) {
      for (const std::int64_t row : set.lists_slots() ? listed(set) : chosen(set)) {
        const double weight = request_.row_log_weights.defined() ? request_.row_log_weights[row].item<double>() : 0.0;
        const bool positive = std::find(positives_.begin(), positives_.end(), row) != positives_.end();
        met.add(vectors_[row], weight + std::log(set.weight), positive);
      }
    }
    return met;
  }

  Indices hardest() const { return sorted(rows_, SelectionOrder{}); }
  std::int64_t key_of(std::int64_t row) const { return candidates_.key(SelectionOrder{}, query_, row); }

  /// The slots that a choice leaves, -1 for none.
  std::vector<std::int64_t> kept(const NegativeSet& set) const {
    std::vector<std::int64_t> slots;
    for (const std::int64_t row : listed(set)) slots.push_back(bank_.rows.slots[row].item<std::int64_t>());
    slots.resize(static_cast<std::size_t>(std::min(set.draws, set.listed())), -1);
    return slots;
  }

  /// Places up to and with the first that was drawn.
  std::int64_t tried(const NegativeSet& set) const {
    const Indices all = named(set);
    const Indices places = chosen_places(set, all, 0, all.size());
    return places.empty() ? static_cast<std::int64_t>(all.size()) : places.front() + 1;
  }

  std::vector<at::Tensor> mixes(const at::Tensor& centroids) const {
    const MixRecipe& recipe = *request_.mixes;
    const Indices hard = hard_set(recipe);
    if (static_cast<std::int64_t>(hard.size()) < recipe.hard) return {};
    at::Tensor labels = bank_.rows.labels;
    if (recipe.clusters > 0) {
      std::vector<std::int64_t> clusters;
      for (std::int64_t row = 0; row < vectors_.size(0); ++row) {
        clusters.push_back(plain_cluster(centroids, vectors_[row]));
      }
      labels = at::tensor(clusters, at::kLong);
    }
    const std::int64_t own = recipe.skip_own_cluster ? plain_cluster(centroids, vector_) : -1;
    return plain_mixes(bank_, recipe, hard, labels, own, vector_, index_);
  }

 private:
  bool is_candidate(const QueryBatch& batch, std::int64_t row) const {
    const auto value = [row](const at::Tensor& values) { return values[row].item<std::int64_t>(); };
    if (request_.exclude_own_sample && batch.ids.defined()) {
      const auto id = batch.ids[query_].item<std::int64_t>();
      if (id >= 0 && id == value(bank_.ids)) return false;
    }
    if (request_.label_rule == LabelRule::kDifferent && label_ >= 0 && label_ == value(bank_.rows.labels)) return false;
    const std::int64_t step = value(bank_.steps);
    return request_.max_age == 0 || step < 0 || batch.step - step <= request_.max_age;
  }

  void find_positives() {
    if (request_.positive_rule == PositiveRule::kSameLabel) {
      for (const std::int64_t row : rows_) {
        if (label_ >= 0 && bank_.rows.labels[row].item<std::int64_t>() == label_) positives_.push_back(row);
      }
    } else if (request_.positive_rule == PositiveRule::kWindow) {
      const NegativeSet& set = request_.positive_set;
      const Indices order = sorted(rows_, set.order);
      for (std::size_t rank = 0; rank < order.size() && static_cast<std::int64_t>(rank) < set.last_rank; ++rank) {
        if (score_in(set.order, order[rank]) > set.skip_only_above) positives_.push_back(order[rank]);
      }
    }
  }

  /// factors [K] of the rows' scores, or undefined.
  std::int64_t key_in(const SelectionOrder& order, std::int64_t row, const at::Tensor& factors = {}) const {
    if (!factors.defined() || order.by != SelectionOrder::By::kScore) return candidates_.key(order, query_, row);
    const double score = vectors_[row].dot(vector_).item<double>() * factors[row].item<double>();
    return plain_key(static_cast<float>(score), bank_.rows.slots[row].item<std::int64_t>());
  }

  double score_in(const SelectionOrder& order, std::int64_t row, const at::Tensor& factors = {}) const {
    return scores_of_keys(at::tensor(key_in(order, row, factors), at::kLong)).item<float>();
  }

  Indices sorted(const Indices& rows, const SelectionOrder& order, const at::Tensor& factors = {}) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    for (const std::int64_t row : rows) places.emplace_back(key_in(order, row, factors), row);
    std::sort(places.begin(), places.end());
    Indices result;
    for (const auto& [key, row] : places) result.push_back(row);
    return result;
  }

  /// The best of each pool, in the order of their keys.
  Indices hard_set(const MixRecipe& recipe) const {
    const std::vector<HardPool> pools =
        recipe.pools.empty() ? std::vector<HardPool>{{RowPool{}, recipe.hard}} : recipe.pools;
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    for (const HardPool& pool : pools) {
      Indices best = sorted(inside(pool.rows), SelectionOrder{}, pool.rows.score_factors);
      best.resize(std::min(best.size(), static_cast<std::size_t>(pool.hard)));
      for (const std::int64_t row : best) {
        places.emplace_back(key_in(SelectionOrder{}, row, pool.rows.score_factors), row);
      }
    }
    std::sort(places.begin(), places.end());
    Indices rows;
    for (const auto& [key, row] : places) rows.push_back(row);
    return rows;
  }

  Indices inside(const RowPool& pool) const {
    Indices rows;
    for (const std::int64_t row : rows_) {
      if (!pool.rows.defined() || pool.rows[row].item<bool>()) rows.push_back(row);
    }
    return rows;
  }

  bool above_lower(const NegativeSet& set, std::int64_t row) const {
    const auto bound = [&] { return set.lower_score[query_].to(at::kFloat).item<float>(); };
    return !set.lower_score.defined() || score_in(SelectionOrder{}, row) > bound();
  }

  bool below_upper(const NegativeSet& set, std::int64_t row) const {
    const auto bound = [&] { return set.upper_score[query_].to(at::kFloat).item<float>(); };
    return !set.upper_score.defined() || score_in(SelectionOrder{}, row) < bound();
  }

  /// What the bounds leave of some rows or places, of which row_of() says the row.
  template <class RowOf>
  Indices within_bounds(const NegativeSet& set, const Indices& all, const RowOf& row_of) const {
    Indices above;
    Indices within;
    for (const std::int64_t one : all) {
      if (!above_lower(set, row_of(one))) continue;
      above.push_back(one);
      if (below_upper(set, row_of(one))) within.push_back(one);
    }
    return set.upper_if_any && within.empty() ? above : within;
  }

  Indices chosen(const NegativeSet& set) const {
    Indices rows = within_bounds(set, inside(set.pool), [](std::int64_t row) { return row; });
    if (set.has_rank_window()) {
      const at::Tensor& factors = set.pool.score_factors;
      const Indices order = sorted(rows, set.order, factors);
      rows.clear();
      for (std::size_t i = 0; i < order.size(); ++i) {
        const auto rank = static_cast<std::int64_t>(i);
        if (rank >= set.last_rank) break;
        if (rank < set.first_rank && score_in(set.order, order[i], factors) > set.skip_only_above) continue;
        rows.push_back(order[i]);
      }
    }
    if (set.draws > 0) {
      rows = sorted(rows, set.draw_order);
      rows.resize(std::min(rows.size(), static_cast<std::size_t>(set.draws)));
    }
    return rows;
  }

  /// What the set names, place for place: a candidate's row, or -1.
  Indices named(const NegativeSet& set) const {
    Indices slots;
    if (set.slots.defined()) {
      for (std::int64_t i = 0; i < set.slots.size(1); ++i) slots.push_back(set.slots[query_][i].item<std::int64_t>());
    } else {
      const SelectionOrder& order = set.slot_order;
      CounterRng random(order.seed, order.purpose, static_cast<std::uint64_t>(order.step),
                        static_cast<std::uint64_t>(index_));
      const auto filled = static_cast<std::uint64_t>(candidates_.rows());
      for (std::int64_t i = 0; i < set.uniform_slots && filled > 0; ++i) {
        slots.push_back(static_cast<std::int64_t>(random.below(filled)));
      }
    }
    Indices rows;
    for (const std::int64_t slot : slots) {
      rows.push_back(-1);
      for (const std::int64_t row : rows_) {
        if (bank_.rows.slots[row].item<std::int64_t>() == slot) rows.back() = row;
      }
    }
    return rows;
  }

  Indices listed(const NegativeSet& set) const {
    Indices rows;
    const Indices all = named(set);
    const std::size_t length = all.size() / static_cast<std::size_t>(set.lists);
    for (std::size_t begin = 0; begin + length <= all.size() && length > 0; begin += length) {
      for (const std::int64_t place : chosen_places(set, all, static_cast<std::int64_t>(begin), length)) {
        rows.push_back(all[static_cast<std::size_t>(place)]);
      }
    }
    return rows;
  }

  /// What stands in a place of a list by some order: less is better, equal scores go to the lower slot.
  std::int64_t key_at(const SelectionOrder& order, const Indices& all, std::int64_t place) const {
    const std::int64_t row = all[static_cast<std::size_t>(place)];
    if (order.by == SelectionOrder::By::kScore || order.by == SelectionOrder::By::kPositiveScore) {
      return key_in(order, row);
    }
    const double uniform = plain_uniform(order, index_, place);
    const double gumbel = order.scale * score_in(SelectionOrder{}, row) - std::log(-std::log(uniform));
    return plain_key(static_cast<float>(order.by == SelectionOrder::By::kRandom ? -uniform : gumbel),
                     bank_.rows.slots[row].item<std::int64_t>());
  }

  Indices chosen_places(const NegativeSet& set, const Indices& all, std::int64_t begin, std::size_t length) const {
    Indices left;
    for (std::int64_t place = begin; place < begin + static_cast<std::int64_t>(length); ++place) {
      if (all[static_cast<std::size_t>(place)] >= 0) left.push_back(place);
    }
    left = within_bounds(set, left, [&](std::int64_t place) { return all[static_cast<std::size_t>(place)]; });
    // Of equal keys the one that is named first.
    const auto sort_by = [&](const SelectionOrder& order) {
      std::stable_sort(left.begin(), left.end(), [&](std::int64_t one, std::int64_t other) {
        return key_at(order, all, one) < key_at(order, all, other);
      });
    };
    if (set.has_rank_window()) {
      sort_by(set.order);
      Indices inside;
      for (std::size_t i = 0; i < left.size(); ++i) {
        const auto rank = static_cast<std::int64_t>(i);
        const double score = scores_of_keys(at::tensor(key_at(set.order, all, left[i]), at::kLong)).item<float>();
        if (rank < set.last_rank && (rank >= set.first_rank || score <= set.skip_only_above)) inside.push_back(left[i]);
      }
      left = inside;
    }
    std::sort(left.begin(), left.end());
    if (set.draws > 0) {
      if (!set.draws_as_listed) sort_by(set.draw_order);
      left.resize(std::min(left.size(), static_cast<std::size_t>(set.draws)));
    }
    return left;
  }

  const PlainBank& bank_;
  const NegativeRequest& request_;
  const PlainCandidates& candidates_;
  std::int64_t query_;
  std::int64_t index_;
  std::int64_t label_;
  at::Tensor vector_;
  at::Tensor vectors_;
  Indices rows_;  // candidates
  Indices positives_;
};

}  // namespace negatron::testing
