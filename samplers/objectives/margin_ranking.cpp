#include "samplers/objectives/margin_ranking.h"

#include <stdexcept>

#include "samplers/objectives/rank_weight.h"

namespace negatron {

ObjectiveDescription MarginRanking::describe() {
  ObjectiveDescription description{"margin-ranking",
                                   "Ying et al., PinSage, KDD 2018; Weston et al., WARP, 2010",
                                   "the positive more similar than each negative by a margin",
                                   {{"margin", 0.1, "in units of similarity", 0.0},
                                    hinge_mean_option(),
                                    {.name = "rank-weight",
                                     .default_value = std::string("none"),
                                     .help = "weight of a query by how many negatives violate the margin (WARP)",
                                     .choices = {"none", "harmonic", "log"}}}};
  description.uses_temperature = false;
  return description;
}

MarginRanking::MarginRanking(const ObjectiveArguments& arguments)
    : margin_(arguments.options.number("margin")),
      mean_(hinge_mean_of(arguments.options)),
      rank_weight_(arguments.options.word("rank-weight") == "harmonic" ? RankWeight::kHarmonic
                   : arguments.options.word("rank-weight") == "log"    ? RankWeight::kLog
                                                                       : RankWeight::kNone) {
  if (rank_weight_ != RankWeight::kNone && mean_ == HingeMean::kAll) {
    throw std::invalid_argument("--objective margin-ranking: rank-weight goes with reduction=active only.");
  }
}

std::vector<ObjectiveTerm> MarginRanking::terms(const Anchors& anchors) const {
  ObjectiveTerm hinge;
  // u = s_j + margin - s+ (LOSSES.md 13). The offset takes gradient: by its slope, the number of active hinges, the
  // positive is pulled as often as negatives push.
  hinge.term.shape = TermShape::kHinge;
  hinge.term.reduction = Reduction::kSum;
  hinge.term.offset = margin_;
  hinge.term.query_offset = -anchors.positive;
  hinge.term.want_slope = true;
  return {hinge, divisor_of(hinge, mean_)};
}

ObjectiveLoss MarginRanking::loss(Communicator&, const Contrast& contrast) const {
  const at::Tensor& sum = contrast.terms[0];
  const at::Tensor divisor = contrast.terms[1].detach();
  ObjectiveLoss result;
  if (rank_weight_ == RankWeight::kNone) {
    // One mean over the active hinges of all queries and ranks.
    result.per_anchor = sum;
    result.normalizer = divisor.sum();
  } else {
    const at::Tensor rank = contrast.more_violators.defined() ? divisor + contrast.more_violators : divisor;
    const at::Tensor weight =
        rank_weight_ == RankWeight::kHarmonic ? harmonic_rank_weight(rank) : log_rank_weight(rank);
    // A mean within each query, times a weight of how many negatives violate the margin, averaged over queries: three
    // that violate it by 0.1, 0.2 and 0.3 make 0.2 * 1.833. Of one that was found in a number of trials the weight is
    // of how many that lets expect. Without one the sum is 0, and so is the loss.
    result.per_anchor = sum * (weight / at::where(divisor > 0.0, divisor, at::ones_like(divisor)));
  }
  if (mean_ == HingeMean::kActive) result.metrics["active"] = divisor.sum();
  return result;
}

}  // namespace negatron
