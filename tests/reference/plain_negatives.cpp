#include "tests/reference/plain_negatives.h"

#include <algorithm>
#include <cmath>

#include "samplers/random/philox.h"
#include "tests/reference/plain_mixes.h"
#include "tests/reference/plain_pass.h"
#include "tests/reference/plain_selection.h"

namespace negatron::testing {
namespace {

using Indices = std::vector<std::int64_t>;

/// What one query meets, one entry after the other.
struct Met {
  std::vector<at::Tensor> vectors;
  std::vector<double> bias;
  std::vector<bool> positive;

  void add(const at::Tensor& vector, double log_weight = 0.0, bool is_positive = false) {
    vectors.push_back(vector);
    bias.push_back(log_weight);
    positive.push_back(is_positive);
  }
};

class PlainQuery {
 public:
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

  Met meet_sets() const {
    Met met;
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

at::Tensor chosen_only(const std::vector<bool>& chosen) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) places.push_back(static_cast<std::int64_t>(i));
  }
  return at::tensor(places, at::kLong);
}

void score(const Met& met, const at::Tensor& query, const std::vector<ScoreTerm>& terms, std::int64_t place,
           PassResult& result) {
  result.count[place].fill_(static_cast<std::int64_t>(met.vectors.size()));
  if (met.vectors.empty()) return;
  const at::Tensor vectors = at::stack(met.vectors);
  const at::Tensor bias = at::tensor(met.bias, at::kDouble);
  result.max[place].copy_(vectors.mv(query).max());
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const at::Tensor own =
        chosen_only(terms[t].rows == TermRows::kPositives ? met.positive : std::vector<bool>(met.vectors.size(), true));
    if (own.size(0) == 0) continue;
    const TermResult one = plain_term(terms[t], query, vectors.index_select(0, own), bias.index_select(0, own), place);
    result.terms[t].value[place].copy_(one.value);
    if (one.gradient.defined()) result.terms[t].gradient[place].copy_(one.gradient);
    if (one.slope.defined()) result.terms[t].slope[place].copy_(one.slope);
    if (one.log_weight.defined()) result.terms[t].log_weight[place].copy_(one.log_weight);
  }
}

}  // namespace

NegativeResult plain_negatives(const PlainBank& bank, const QueryBatch& batch, const NegativeRequest& request,
                               const std::vector<ScoreTerm>& terms) {
  Candidates all;
  all.queries = batch.queries.to(at::kDouble);
  if (batch.keys.defined()) all.keys = batch.keys.to(at::kDouble);
  const std::int64_t queries = all.queries.size(0);
  all.query_index = at::arange(batch.shares.first, batch.shares.first + queries, at::kLong);
  const PlainCandidates candidates(bank.rows, all);

  PassRequest empty;
  empty.candidates.queries = all.queries;
  empty.terms = terms;
  empty.want_max = true;
  at::Tensor centroids;
  if (request.mixes && request.mixes->clusters > 0) {
    centroids = plain_centroids(bank, request.mixes->clusters, request.mixes->seed, batch.step);
  }
  NegativeResult result;
  result.scores = empty_result(empty);
  result.bank_max = result.scores.max.clone();
  const std::int64_t hardest =
      request.report_hardest > 0 ? request.report_hardest : (request.mixes ? request.mixes->hard : 0);
  result.hardest = at::full({queries, hardest}, kAfterAllKeys, at::kLong);
  result.mix_count = at::zeros({queries}, at::kLong);
  result.tried = at::zeros({queries}, at::kLong);
  if (request.kept) {
    result.kept = at::full({queries, std::min(request.kept->draws, request.kept->listed())}, -1, at::kLong);
  }
  result.mix_score_sum = at::zeros({queries}, at::kDouble);
  for (std::int64_t i = 0; i < queries; ++i) {
    const PlainQuery query(bank, batch, request, candidates, i);
    Met met = query.meet_sets();
    for (const NegativeSet& set : request.sets) {
      if (set.draws_as_listed && set.lists == 1) result.tried[i].fill_(query.tried(set));
    }
    if (request.kept) result.kept[i].copy_(at::tensor(query.kept(*request.kept), at::kLong));
    if (!met.vectors.empty()) result.bank_max[i].copy_(at::stack(met.vectors).mv(all.queries[i]).max());
    const Indices hard = query.hardest();
    for (std::int64_t n = 0; n < std::min(hardest, static_cast<std::int64_t>(hard.size())); ++n) {
      result.hardest[i][n].fill_(query.key_of(hard[static_cast<std::size_t>(n)]));
    }
    for (std::int64_t n = 0; request.vectors.defined() && n < request.vectors.size(1); ++n) {
      met.add(request.vectors[i][n].to(at::kDouble));
    }
    if (request.mixes) {
      for (const at::Tensor& mix : query.mixes(centroids)) {
        result.mix_count[i].add_(1);
        result.mix_score_sum[i].add_(mix.dot(all.queries[i]));
        met.add(mix);
      }
    }
    score(met, all.queries[i], terms, i, result.scores);
  }
  return result;
}

}  // namespace negatron::testing
