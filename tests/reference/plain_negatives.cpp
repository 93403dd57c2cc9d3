#include "tests/reference/plain_negatives.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "samplers/random/philox.h"
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
        index_(batch.split.first + query),
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

  std::vector<at::Tensor> mixes() const {
    const MixPlan& plan = *request_.mixes;
    Indices hard = hardest();
    if (static_cast<std::int64_t>(hard.size()) < plan.hard) return {};
    hard.resize(static_cast<std::size_t>(plan.hard));
    return plan.mode == MixPlan::Mode::kFetch ? mixes_of_any(plan, with_few_of_a_label(plan, hard))
                                              : mixes_of_one_position(plan, hard);
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

  double score_in(const SelectionOrder& order, std::int64_t row) const {
    return scores_of_keys(at::tensor(candidates_.key(order, query_, row), at::kLong)).item<float>();
  }

  Indices sorted(const Indices& rows, const SelectionOrder& order) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    for (const std::int64_t row : rows) places.emplace_back(candidates_.key(order, query_, row), row);
    std::sort(places.begin(), places.end());
    Indices result;
    for (const auto& [key, row] : places) result.push_back(row);
    return result;
  }

  Indices chosen(const NegativeSet& set) const {
    Indices rows;
    for (const std::int64_t row : rows_) {
      const double score = score_in(SelectionOrder{}, row);
      if (set.lower_score.defined() && !(score > set.lower_score[query_].to(at::kFloat).item<float>())) continue;
      if (set.upper_score.defined() && !(score < set.upper_score[query_].to(at::kFloat).item<float>())) continue;
      rows.push_back(row);
    }
    if (set.has_rank_window()) {
      const Indices order = sorted(rows, set.order);
      rows.clear();
      for (std::size_t i = 0; i < order.size(); ++i) {
        const auto rank = static_cast<std::int64_t>(i);
        if (rank >= set.last_rank) break;
        if (rank < set.first_rank && score_in(set.order, order[i]) > set.skip_only_above) continue;
        rows.push_back(order[i]);
      }
    }
    if (set.draw > 0) {
      rows = sorted(rows, set.draw_order);
      rows.resize(std::min(rows.size(), static_cast<std::size_t>(set.draw)));
    }
    return rows;
  }

  Indices listed(const NegativeSet& set) const {
    Indices slots;
    if (set.slots.defined()) {
      for (std::int64_t i = 0; i < set.slots.size(1); ++i) slots.push_back(set.slots[query_][i].item<std::int64_t>());
    } else {
      const SelectionOrder& order = set.draw_order;
      CounterRng random(order.seed, order.purpose, static_cast<std::uint64_t>(order.step),
                        static_cast<std::uint64_t>(index_));
      const auto filled = static_cast<std::uint64_t>(candidates_.rows());
      for (std::int64_t i = 0; i < set.uniform_slots && filled > 0; ++i) {
        slots.push_back(static_cast<std::int64_t>(random.below(filled)));
      }
    }
    Indices rows;
    for (const std::int64_t slot : slots) {
      for (const std::int64_t row : rows_) {
        if (bank_.rows.slots[row].item<std::int64_t>() == slot) rows.push_back(row);
      }
    }
    return rows;
  }

  Indices with_few_of_a_label(const MixPlan& plan, const Indices& hard) const {
    if (plan.max_label_share >= 1.0) return hard;
    const double most = std::ceil(plan.max_label_share * static_cast<double>(plan.hard));
    std::map<std::int64_t, int> seen;
    Indices kept;
    for (const std::int64_t row : hard) {
      const auto label = bank_.rows.labels[row].item<std::int64_t>();
      if (label >= 0 && ++seen[label] > most) continue;
      kept.push_back(row);
    }
    return kept;
  }

  at::Tensor pair_mix(std::int64_t first, std::int64_t second, double alpha) const {
    const at::Tensor mixed = alpha * vectors_[first] + (1.0 - alpha) * vectors_[second];
    return mixed / mixed.norm();
  }
  at::Tensor query_mix(std::int64_t row, double beta) const {
    const at::Tensor mixed = beta * vector_ + (1.0 - beta) * vectors_[row];
    return mixed / mixed.norm();
  }
  CounterRng stream(const MixPlan& plan, Purpose purpose) const {
    return {plan.seed, purpose, static_cast<std::uint64_t>(plan.step), static_cast<std::uint64_t>(index_)};
  }

  std::vector<at::Tensor> mixes_of_any(const MixPlan& plan, const Indices& members) const {
    std::vector<at::Tensor> mixes;
    CounterRng random = stream(plan, Purpose::kPairMix);
    for (std::int64_t k = 0; k < plan.pairs && (members.size() > 1 || !plan.distinct); ++k) {
      Indices others = members;
      std::size_t first = random.below(members.size());
      if (plan.distinct) others.erase(others.begin() + static_cast<std::ptrdiff_t>(first));
      std::size_t second = random.below(others.size());
      double alpha = random.uniform();
      if (plan.first.defined()) {
        mixes.push_back(pair_mix(members[static_cast<std::size_t>(plan.first[k].item<std::int64_t>())],
                                 members[static_cast<std::size_t>(plan.second[k].item<std::int64_t>())],
                                 plan.alpha[k].item<double>()));
      } else {
        mixes.push_back(pair_mix(members[first], others[second], alpha));
      }
    }
    add_query_mixes(plan, members, mixes);
    return mixes;
  }

  void add_query_mixes(const MixPlan& plan, const Indices& members, std::vector<at::Tensor>& mixes) const {
    CounterRng random = stream(plan, Purpose::kQueryMix);
    for (std::int64_t k = 0; k < plan.query_mixes; ++k) {
      std::size_t partner = random.below(members.size());
      double beta = plan.max_query_share * random.uniform();
      if (plan.query_partner.defined()) {
        partner = static_cast<std::size_t>(plan.query_partner[k].item<std::int64_t>());
        beta = plan.beta[k].item<double>();
      }
      mixes.push_back(query_mix(members[partner], beta));
    }
  }

  std::vector<at::Tensor> mixes_of_one_position(const MixPlan& plan, Indices members) const {
    const auto position = [&](std::int64_t row) {
      return std::make_tuple(bank_.batch_sizes[row].item<std::int64_t>(), bank_.offsets[row].item<std::int64_t>());
    };
    const auto place = [&](std::int64_t row) {
      return std::tuple_cat(position(row), std::make_tuple(bank_.rows.slots[row].item<std::int64_t>()));
    };
    std::sort(members.begin(), members.end(), [&](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (const std::int64_t first : members) {
      for (const std::int64_t second : members) {
        if (position(first) == position(second) && (first != second || !plan.distinct))
          pairs.emplace_back(first, second);
      }
    }
    std::vector<at::Tensor> mixes;
    CounterRng random = stream(plan, Purpose::kPairMix);
    for (std::int64_t k = 0; k < plan.pairs && !pairs.empty(); ++k) {
      const auto& [first, second] = pairs[random.below(pairs.size())];
      mixes.push_back(pair_mix(first, second, random.uniform()));
    }
    add_query_mixes(plan, members, mixes);
    return mixes;
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
  if (batch.keys.defined()) all.positives = batch.keys.to(at::kDouble);
  const std::int64_t queries = all.queries.size(0);
  all.query_index = at::arange(batch.split.first, batch.split.first + queries, at::kLong);
  const PlainCandidates candidates(bank.rows, all);

  PassRequest empty;
  empty.candidates.queries = all.queries;
  empty.terms = terms;
  empty.want_max = true;
  NegativeResult result;
  result.scores = empty_result(empty);
  result.bank_max = result.scores.max.clone();
  const std::int64_t hardest =
      request.report_hardest > 0 ? request.report_hardest : (request.mixes ? request.mixes->hard : 0);
  result.hardest = at::full({queries, hardest}, kAfterAllKeys, at::kLong);
  result.mix_count = at::zeros({queries}, at::kLong);
  result.mix_score_sum = at::zeros({queries}, at::kDouble);
  for (std::int64_t i = 0; i < queries; ++i) {
    const PlainQuery query(bank, batch, request, candidates, i);
    Met met = query.meet_sets();
    if (!met.vectors.empty()) result.bank_max[i].copy_(at::stack(met.vectors).mv(all.queries[i]).max());
    const Indices hard = query.hardest();
    for (std::int64_t n = 0; n < std::min(hardest, static_cast<std::int64_t>(hard.size())); ++n) {
      result.hardest[i][n].fill_(query.key_of(hard[static_cast<std::size_t>(n)]));
    }
    for (std::int64_t n = 0; request.vectors.defined() && n < request.vectors.size(1); ++n) {
      met.add(request.vectors[i][n].to(at::kDouble));
    }
    if (request.mixes) {
      for (const at::Tensor& mix : query.mixes()) {
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
