#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/exchange/mixes/mix_recipe.h"
#include "samplers/exchange/ranking/row_pool.h"
#include "samplers/pass/candidates.h"

namespace negatron {

/// A part of the bank that each query meets: the candidates that pass a window of scores, then a window of ranks, then
/// a draw; of the whole bank, never of a shard alone, or of rows that are named by slot.
struct NegativeSet {
  static constexpr std::int64_t kAllRanks = std::numeric_limits<std::int64_t>::max();

  /// Only rows of this pool. Does not go with rows that are named, nor factors of it with score bounds.
  RowPool pool;

  /// [b] keep only rows with lower < q . n < upper, compared in fp32; undefined for no bound.
  at::Tensor lower_score;
  at::Tensor upper_score;
  /// The upper bound holds only for queries that have a row within both; the others meet what the lower one lets
  /// through.
  bool upper_if_any = false;

  /// Keep the rows at ranks [first_rank, last_rank) of `order`, rank 0 being the best.
  SelectionOrder order;
  std::int64_t first_rank = 0;
  std::int64_t last_rank = kAllRanks;
  /// Of the rows before first_rank, leave out only those whose score in `order` is above this (kScore and
  /// kPositiveScore only).
  double skip_only_above = -std::numeric_limits<double>::infinity();

  /// Of what is left keep the first `draw` rows of `draw_order`; 0 keeps all.
  std::int64_t draws = 0;
  SelectionOrder draw_order;

  /// Instead of the whole bank, rows that are named: [b, m] int64 slots, -1 for none. Slots that hold no candidate are
  /// passed over, and a row that is named twice is there twice.
  at::Tensor slots;
  /// Instead: so many uniform draws of slots with replacement, which every rank draws for itself by the numbers of
  /// slot_order (slot_draws.h).
  std::int64_t uniform_slots = 0;
  SelectionOrder slot_order;
  /// What is named falls into so many lists of equal length, one behind the other, in each of which the windows and the
  /// draw above choose for themselves (list_choice.h). Random orders then go by the place of a row, not by its slot,
  /// and must have another purpose than what drew the slots: Purpose::kListChoice.
  std::int64_t lists = 1;
  /// The draw keeps the first `draws` rows as they are listed, whatever draw_order is.
  bool draws_as_listed = false;

  /// How often each row of the set counts.
  double weight = 1.0;

  bool lists_slots() const { return slots.defined() || uniform_slots > 0; }
  std::int64_t listed() const { return slots.defined() ? slots.size(1) : uniform_slots; }
  bool has_bounds() const { return lower_score.defined() || upper_score.defined(); }
  bool has_rank_window() const { return first_rank > 0 || last_rank < kAllRanks; }
  /// Whether not all that is named is met.
  bool chooses_of_lists() const { return lists_slots() && (has_bounds() || has_rank_window() || draws > 0); }
  /// Whether every candidate is in it.
  bool is_whole_bank() const {
    return !pool.is_limited() && !has_bounds() && !has_rank_window() && draws == 0 && !lists_slots();
  }
};

/// What a sampler wants of the bank for this rank's b queries. Described, not computed: samplers never communicate. All
/// ranks ask for the same thing: only tensors differ. The five effects of samplers/negative_samplers/SAMPLERS.md 1 are
/// its members.
struct NegativeRequest {
  // Masks.
  /// Bank rows that hold the query's own sample do not score for it.
  bool exclude_own_sample = true;
  LabelRule label_rule = LabelRule::kAny;
  /// Rows that are more steps old do not score; 0 for no limit. Random rows of the start have no age.
  std::int64_t max_age = 0;

  // Masks and index lists: the union of disjoint sets; no set at all means no row.
  std::vector<NegativeSet> sets{NegativeSet{}};

  /// A choice of lists that no query meets: what it leaves is told to the sampler (NegativeResult::kept).
  std::optional<NegativeSet> kept;

  /// Further positives: candidates with the query's label, or those in the rank window [0, last_rank) of
  /// positive_set.order with scores in that order above positive_set.skip_only_above.
  PositiveRule positive_rule = PositiveRule::kNone;
  NegativeSet positive_set;

  // Score transforms.
  /// [n] log weight of this rank's rows, finite; undefined for none.
  at::Tensor row_log_weights;
  /// Sums over rows become means, weighted by the softmax of this times the score, taken as constants
  /// (self-adversarial, samplers/negative_samplers/SAMPLERS.md 9).
  std::optional<double> self_adversarial_scale;

  // Extra vectors.
  /// Mixes of the hard set, computed by the exchange.
  std::optional<MixRecipe> mixes;
  /// [b, L, d] negatives made for each query by the sampler; undefined for none. They take no gradient.
  at::Tensor vectors;

  /// The gradient goes on to the rows: what queries met on each shard is kept for it.
  bool keeps_met = false;
  /// Each query's largest score is needed. Else it may be NaN for all, where a pass is faster without it.
  bool needs_largest = true;
  /// Also report the so many hardest candidates of each query; 0 for none.
  std::int64_t report_hardest = 0;
};

}  // namespace negatron
