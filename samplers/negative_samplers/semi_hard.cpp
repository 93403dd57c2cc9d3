#include "samplers/negative_samplers/semi_hard.h"

#include <stdexcept>

namespace negatron {

SamplerDescription SemiHard::describe() {
  SamplerDescription description{
      "semi-hard",
      "Schroff et al., FaceNet, CVPR 2015",
      "one row a query, easier than the positive but within the margin",
      {Effect::kMask, Effect::kIndexList},
      {{"margin", 0.2, "of squared distances", 0.0, 4.0},
       {"rule", std::string("semi-hard"), "which rows qualify", {}, {}, {"semi-hard", "below-margin"}},
       {"pick", std::string("hardest"), "which of them is taken", {}, {}, {"hardest", "random"}},
       {"fallback",
        std::string("none"),
        "for a query without such a row: none, or one of all rows that violate the margin, by pick",
        {},
        {},
        {"none", "violator"}}}};
  description.why_unit_rows = "its margin is one of squared distances of unit vectors, 2 - 2 s";
  return description;
}

SemiHard::SemiHard(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      margin_(arguments.options.number("margin")),
      below_positive_(arguments.options.word("rule") == "semi-hard"),
      hardest_(arguments.options.word("pick") == "hardest"),
      falls_back_(arguments.options.word("fallback") == "violator") {
  if (falls_back_ && !below_positive_) {
    throw std::invalid_argument(
        "--sampler semi-hard: rule=below-margin takes every violator already; leave fallback out.");
  }
}

NegativeRequest SemiHard::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  // D^2 = 2 - 2 s, so D^2 < D+^2 + margin says s > s+ - margin / 2, and D^2 > D+^2 says s < s+. With s+ = 0.8 and a
  // margin of 0.2 the rows with 0.7 < s < 0.8 qualify, of which the hardest or a random one is drawn (SAMPLERS.md 10).
  const at::Tensor positive = (batch.queries * batch.keys).sum(1);  // [b]
  NegativeSet& set = request.sets.front();
  set.lower_score = positive - margin_ / 2.0;
  // Of this step's keys: the sampler cannot describe its request before they are there, and says so (draws_by_keys).
  if (below_positive_) set.upper_score = positive;
  // Rows at or above s+ are then all that is left of those above the lower bound.
  set.upper_if_any = falls_back_;
  set.draws = 1;
  set.draw_order.by = hardest_ ? SelectionOrder::By::kScore : SelectionOrder::By::kRandom;
  set.draw_order.seed = seed_;
  set.draw_order.step = batch.step;
  return request;
}

}  // namespace negatron
