#include "tests/reference/plain_selection.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace negatron::testing {
namespace {

std::int64_t at_place(const at::Tensor& values, std::int64_t place) {
  return values[place].item<std::int64_t>();
}

}  // namespace

std::int64_t plain_key(float score, std::int64_t slot) {
  // How many floats are larger: counted from 0 upwards or downwards, as bits of floats count.
  const std::int64_t magnitude = std::bit_cast<std::uint32_t>(std::abs(score));
  const std::int64_t place = score > 0.0F ? -1 - magnitude : (score < 0.0F ? magnitude : -1);
  return place * (std::int64_t{1} << 32) + slot;
}

double plain_uniform(const SelectionOrder& order, std::int64_t query_index, std::int64_t slot) {
  CounterRng random(order.seed, order.purpose, static_cast<std::uint64_t>(order.step),
                    static_cast<std::uint64_t>(query_index));
  std::uint32_t word = random.next_u32();
  for (std::int64_t i = 0; i < slot; ++i) word = random.next_u32();
  return static_cast<double>(word) / 4294967296.0;
}

PlainCandidates::PlainCandidates(const Rows& rows, const Candidates& candidates)
    : given_rows_(rows),
      given_(candidates),
      queries_(candidates.queries.to(at::kDouble)),
      vectors_(rows.vectors.to(at::kDouble)),
      scores_(queries_.mm(vectors_.t())) {
  if (candidates.keys.defined()) positive_scores_ = candidates.keys.to(at::kDouble).mm(vectors_.t());
}

bool PlainCandidates::is_candidate(std::int64_t query, std::int64_t row) const {
  if (given_rows_.validity.defined() && given_rows_.validity[row].item<float>() != 0.0F) return false;
  if (given_.exclusions.defined()) {
    for (std::int64_t i = 0; i < given_.exclusions.size(0); ++i) {
      if (at_place(given_.exclusions[i], 0) == query && at_place(given_.exclusions[i], 1) == row) return false;
    }
  }
  if (given_.label_rule == LabelRule::kDifferent && same_label(query, row)) return false;
  return inside(given_.windows, query, row);
}

bool PlainCandidates::is_positive(std::int64_t query, std::int64_t row) const {
  if (!is_candidate(query, row)) return false;
  if (given_.positive_rule == PositiveRule::kSameLabel) return same_label(query, row);
  return given_.positive_rule == PositiveRule::kWindow && inside(given_.positive_windows, query, row);
}

std::int64_t PlainCandidates::key(const SelectionOrder& order, std::int64_t query, std::int64_t row) const {
  return plain_key(score(order, query, row), at_place(given_rows_.slots, row));
}

std::vector<std::int64_t> PlainCandidates::sorted_keys(const SelectionOrder& order, std::int64_t query) const {
  struct Place {
    float score;
    std::int64_t slot;
  };
  std::vector<Place> places;
  for (std::int64_t row = 0; row < rows(); ++row) {
    if (!is_candidate(query, row)) continue;
    places.push_back({score(order, query, row), at_place(given_rows_.slots, row)});
  }
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.score != b.score ? a.score > b.score : a.slot < b.slot; });
  std::vector<std::int64_t> keys;
  for (const Place& place : places) keys.push_back(plain_key(place.score, place.slot));
  return keys;
}

float PlainCandidates::score(const SelectionOrder& order, std::int64_t query, std::int64_t row) const {
  const auto uniform = [&] {
    return plain_uniform(order, at_place(given_.query_index, query), at_place(given_rows_.slots, row));
  };
  switch (order.by) {
    case SelectionOrder::By::kPositiveScore:
      return static_cast<float>(positive_scores_[query][row].item<double>());
    case SelectionOrder::By::kRandom:
      return static_cast<float>(-uniform());
    case SelectionOrder::By::kGumbel:
      return static_cast<float>(order.scale * scores_[query][row].item<double>() - std::log(-std::log(uniform())));
    default:
      return static_cast<float>(scores_[query][row].item<double>() * factor(row));
  }
}

double PlainCandidates::factor(std::int64_t row) const {
  return given_rows_.order_factors.defined() ? given_rows_.order_factors[row].item<double>() : 1.0;
}

bool PlainCandidates::inside(const std::vector<SelectionWindow>& windows, std::int64_t query, std::int64_t row) const {
  return std::all_of(windows.begin(), windows.end(), [&](const SelectionWindow& window) {
    const std::int64_t own = key(window.order, query, row);
    return own >= at_place(window.first, query) && own < at_place(window.last, query);
  });
}

bool PlainCandidates::same_label(std::int64_t query, std::int64_t row) const {
  const std::int64_t label = at_place(given_.labels, query);
  return label >= 0 && label == at_place(given_rows_.labels, row);
}

at::Tensor plain_best_keys(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                           std::int64_t m) {
  const PlainCandidates plain(rows, candidates);
  const at::Tensor best = at::full({plain.queries(), m}, kAfterAllKeys, at::kLong);
  for (std::int64_t query = 0; query < plain.queries(); ++query) {
    const std::vector<std::int64_t> keys = plain.sorted_keys(order, query);
    for (std::int64_t i = 0; i < std::min(m, static_cast<std::int64_t>(keys.size())); ++i) {
      best[query][i].fill_(keys[static_cast<std::size_t>(i)]);
    }
  }
  return best;
}

}  // namespace negatron::testing
