#include "samplers/negative_samplers/false_negatives.h"

namespace negatron {
namespace {

std::vector<MethodOption> options() {
  return {{"top-k", std::int64_t{10}, "at most so many false negatives, rows", 1},
          {"threshold", 0.7, "least similarity to the key, cosine", -1.0, 1.0}};
}

constexpr const char* kThresholdIsCosine = "its threshold is a cosine";

}  // namespace

SamplerDescription FnElimination::describe() {
  SamplerDescription description{"fn-elimination",
                                 "Huynh et al., False negative cancellation, WACV 2022",
                                 "the whole bank without the rows most like the key",
                                 {Effect::kMask},
                                 options()};
  description.why_unit_rows = kThresholdIsCosine;
  return description;
}

FnElimination::FnElimination(const SamplerArguments& arguments)
    : base_(arguments.base),
      top_k_(arguments.options.count("top-k")),
      threshold_(arguments.options.number("threshold")) {}

NegativeRequest FnElimination::request(const Bank&, const QueryBatch&) const {
  NegativeRequest request = base_;
  // All ranks by t = k . n from `top_k_` on, and those before it whose t is not above the threshold. top-k 10,
  // threshold 0.7 and t = 0.9, 0.75, 0.6, ...: the first two rows are left out, the other eight of the ten stay
  // (SAMPLERS.md 7).
  NegativeSet& set = request.sets.front();
  set.order.by = SelectionOrder::By::kPositiveScore;
  set.first_rank = top_k_;
  set.skip_only_above = threshold_;
  return request;
}

SamplerDescription FnAttraction::describe() {
  SamplerDescription description{"fn-attraction",
                                 "Huynh et al., False negative cancellation, WACV 2022",
                                 "the whole bank; the rows most like the key become positives",
                                 {Effect::kMask},
                                 options(),
                                 {},
                                 true};
  description.why_unit_rows = kThresholdIsCosine;
  return description;
}

FnAttraction::FnAttraction(const SamplerArguments& arguments)
    : base_(arguments.base),
      top_k_(arguments.options.count("top-k")),
      threshold_(arguments.options.number("threshold")) {}

NegativeRequest FnAttraction::request(const Bank&, const QueryBatch&) const {
  NegativeRequest request = base_;
  // The same rows as elimination leaves out, under the same two conditions, but named as positives; the set of
  // negatives stays the whole bank, so that they are in the denominator as well.
  request.positive_rule = PositiveRule::kWindow;
  request.positive_set.order.by = SelectionOrder::By::kPositiveScore;
  request.positive_set.last_rank = top_k_;
  request.positive_set.skip_only_above = threshold_;
  return request;
}

}  // namespace negatron
