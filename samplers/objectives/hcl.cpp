#include "samplers/objectives/hcl.h"

#include <algorithm>
#include <cmath>

#include "samplers/objectives/debiased_clamp.h"
#include "samplers/objectives/exact_softplus.h"

namespace negatron {
namespace {

/// Below one, or nothing is left to divide by.
constexpr double kLargestPrior = 0.99;

MethodOption prior_option() {
  return {"tau-plus", 0.1, "class prior, share of the negatives that are of the query's class", 0.0, kLargestPrior};
}

/// Of the official annealing.
constexpr double kAnnealSteps = 9.0;

constexpr const char* kFloorOfUnitScores = "the floor of its estimate, exp(-1 / tau), is that of the least cosine, -1";

}  // namespace

ObjectiveDescription Hcl::describe() {
  ObjectiveDescription description{"hcl",
                                   "Robinson et al., HCL, ICLR 2021",
                                   "debiased InfoNCE in which hard negatives weigh more",
                                   {prior_option(),
                                    {"beta", 1.0, "concentration on hard negatives", 0.0},
                                    {.name = "weights",
                                     .default_value = std::string("attached"),
                                     .help = "whether gradient flows through the weights; the official code attaches",
                                     .choices = {"attached", "detached"}},
                                    {.name = "anneal",
                                     .default_value = std::string("none"),
                                     .help = "how beta goes to 0 over the run",
                                     .choices = {"none", "linear", "steps"}}}};
  description.why_unit_rows = kFloorOfUnitScores;
  return description;
}

ObjectiveDescription Debiased::describe() {
  ObjectiveDescription description{"debiased",
                                   "Chuang et al., Debiased Contrastive Learning, NeurIPS 2020",
                                   "InfoNCE less what negatives of the query's own class are expected to add",
                                   {prior_option()}};
  description.why_unit_rows = kFloorOfUnitScores;
  return description;
}

Hcl::Hcl(const ObjectiveArguments& arguments)
    : Hcl(arguments, Concentration{arguments.options.number("beta"),
                                   arguments.options.word("anneal") == "linear"  ? Anneal::kLinear
                                   : arguments.options.word("anneal") == "steps" ? Anneal::kSteps
                                                                                 : Anneal::kNone,
                                   arguments.options.word("weights") == "attached"}) {}

Hcl::Hcl(const ObjectiveArguments& arguments, Concentration concentration)
    : temperature_(arguments.temperature),
      first_tau_(arguments.temperature.tau),
      tau_plus_(arguments.options.number("tau-plus")),
      concentration_(concentration) {}

std::vector<std::string> Hcl::warnings(std::int64_t width) const {
  const std::string clamp = clamp_warning(first_tau_, tau_plus_, concentration_.beta, width);
  if (clamp.empty()) return {};
  return {clamp};
}

double Hcl::Concentration::at(double progress) const {
  const double way = std::clamp(progress, 0.0, 1.0);
  if (anneal == Anneal::kLinear) return beta * (1.0 - way);
  if (anneal == Anneal::kSteps) {
    // Ten plateaus: beta at first, 0 in the last tenth of the run.
    return beta * (1.0 - std::min(kAnnealSteps, std::floor(way * (kAnnealSteps + 1.0))) / kAnnealSteps);
  }
  return beta;
}

std::vector<ObjectiveTerm> Hcl::terms(const Anchors& anchors) const {
  // Two log-sum-exps over the same rows, at (1 + beta) c and at beta c (LOSSES.md 4); plain terms both, so one
  // computation of the scores serves them. At beta = 0 the second is the log of the number of rows and has no gradient.
  // Detached weights need none either, which saves a vector per query and shard.
  const double beta = concentration_.at(anchors.progress);
  ObjectiveTerm weights = temperature_.log_sum_exp(beta);
  weights.term.want_gradient = concentration_.attached && beta > 0.0;
  return {temperature_.log_sum_exp(1.0 + beta), weights};
}

Hcl::Estimate Hcl::estimate(const Contrast& contrast) const {
  // log G of LOSSES.md 4, in logarithms throughout, because exp(c s+) overflows fp32 at tau = 0.01:
  //
  //   log mean = l1 - l2,    ratio = tau_plus exp(c s+) / mean,
  //   log G = log N + log mean + log(1 - ratio) - log(1 - tau_plus), or log N - c where that is larger
  //
  // Example: tau = 0.5, tau_plus = 0.1, beta = 1, s+ = 0.8 and negatives 0.6, 0, -0.8. l1 = 2.49022 and l2 = 1.50896,
  // the log mean is 0.98126, the ratio 0.1 exp(1.6 - 0.98126) = 0.18566, log G = 1.09861 + 0.98126 - 0.20537 + 0.10536
  // = 1.97986.
  //
  // Without negatives both log-sum-exps are -infinity and their difference would be NaN, so they are 0 from the start;
  // such an anchor's loss is set to 0 at the end.
  const at::Tensor has_negatives = contrast.count > 0;
  const at::Tensor none = at::zeros_like(contrast.terms[0]);
  const at::Tensor l1 = at::where(has_negatives, contrast.terms[0], none);
  const at::Tensor l2 = at::where(has_negatives, contrast.terms[1], none);
  at::Tensor log_mean = l1 - l2;  // [A] log of the reweighted mean exponential
  if (!concentration_.attached) {
    // Of sum_j w_j exp(c s_j) with w fixed: the softmax of l1, at scale c instead of (1 + beta) c.
    log_mean = log_mean.detach() + (l1 - l1.detach()) / (1.0 + concentration_.at(contrast.anchors.progress));
  }
  const at::Tensor log_count = contrast.count.clamp_min(1.0).log();
  const at::Tensor positive = temperature_.logits(contrast.anchors.positive);
  const at::Tensor log_floor = log_count - temperature_.logits(at::ones_like(positive));

  const at::Tensor log_ratio = positive + std::log(tau_plus_) - log_mean;
  const at::Tensor open = log_ratio < 0.0;
  // Where the estimate is negative its logarithm is not taken at all: NaN would pass a later choice as 0 * NaN.
  const at::Tensor ratio = at::where(open, log_ratio, at::full_like(log_ratio, -1.0)).exp();
  const at::Tensor estimate = log_count + log_mean + at::log1p(-ratio) - std::log1p(-tau_plus_);
  const at::Tensor clamped = open.logical_not().logical_or(estimate < log_floor);
  return {at::where(clamped, log_floor, estimate), clamped};
}

ObjectiveLoss Hcl::loss(Communicator&, const Contrast& contrast) const {
  const Estimate mass = estimate(contrast);
  const at::Tensor has_negatives = contrast.count > 0;
  const at::Tensor loss = exact_softplus(mass.log_mass - temperature_.logits(contrast.anchors.positive));
  ObjectiveLoss result;
  result.per_anchor = at::where(has_negatives, loss, at::zeros_like(loss));
  // An anchor without negatives is at no floor. The metric is what tells that tau_plus is too large (LOSSES.md 5).
  result.metrics["clamped"] = mass.clamped.logical_and(has_negatives).sum();
  return result;
}

}  // namespace negatron
