#include "samplers/objectives/advir.h"

#include <limits>

#include "samplers/objectives/exact_softplus.h"
#include "samplers/objectives/nearest_negative.h"

namespace negatron {
namespace {

/// By how many units in the last place of l a difference of l from c m may be off.
constexpr double kRounding = 8.0;
/// A movement of the log odds by more, e^8 in odds, makes rounding of scores in fp32 show in the loss.
constexpr double kMostMovement = 8.0;
/// What has a logarithm in fp32, whose gradient is a number, too.
constexpr double kLeast = 1e-30;
constexpr double kMostExponent = 80.0;

double epsilon_of(const at::Tensor& numbers) {
  return numbers.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon()
                                              : std::numeric_limits<float>::epsilon();
}

}  // namespace

ObjectiveDescription AdvIr::describe() {
  ObjectiveDescription description{
      "advir",
      "Park and Chang, AdvIR, WWW 2019",
      "InfoNCE, also of positive and negatives that were perturbed against it",
      {{"epsilon", 0.05, "length of what each is perturbed by", 0.0},
       {"weight", 1.0, "of the perturbed loss beside the other", 0.0},
       {.name = "variant",
        .default_value = std::string("adversarial"),
        .help = "perturbed against the loss, or, without regard to what is the positive, against the softmax",
        .choices = {"adversarial", "virtual"}}}};
  description.why_unit_rows = "what it perturbs by is epsilon times a unit query";
  return description;
}

AdvIr::AdvIr(const ObjectiveArguments& arguments)
    : temperature_(arguments.temperature),
      epsilon_(arguments.options.number("epsilon")),
      weight_(arguments.options.number("weight")),
      virtual_(arguments.options.word("variant") == "virtual") {}

std::vector<std::string> AdvIr::warnings(std::int64_t) const {
  const double movement = 2.0 * epsilon_ * temperature_.scale();
  if (!virtual_ || movement <= kMostMovement) return {};
  return {
      "--objective advir with variant=virtual moves the nearest of a query's candidates by exp(2 epsilon / tau) in "
      "odds; with epsilon above " +
      std::to_string(kMostMovement / 2.0 / temperature_.scale()) +
      " at this --tau that is more than scores in fp32 are good for."};
}

std::vector<ObjectiveTerm> AdvIr::terms(const Anchors&) const {
  if (!virtual_) return {temperature_.log_sum_exp()};
  ObjectiveTerm nearest;
  nearest.term = of_nearest(nearest.term);
  return {temperature_.log_sum_exp(), nearest};
}

ObjectiveLoss AdvIr::loss(Communicator&, const Contrast& contrast) const {
  const at::Tensor& positive = contrast.anchors.positive;
  const at::Tensor gap = contrast.terms[0] - temperature_.logits(positive);
  const at::Tensor movement = temperature_.logits(at::full_like(positive, 2.0 * epsilon_).detach());
  ObjectiveLoss result;
  if (virtual_) {
    result.per_anchor = exact_softplus(gap) + weight_ * divergence(contrast, movement);
    return result;
  }
  // n + epsilon q scores q . n + epsilon, and k - epsilon q scores s+ - epsilon: l = 3.04946, c s+ = 4 and epsilon =
  // 0.05 make sp(-0.95054) = 0.32680 and sp(-0.45054) = 0.49304 (LOSSES.md 19).
  const at::Tensor perturbed = gap + movement;
  result.per_anchor = exact_softplus(gap) + weight_ * exact_softplus(perturbed);
  return result;
}

at::Tensor AdvIr::odds_against_nearest(const Contrast& contrast) const {
  const at::Tensor all = contrast.terms[0];                                    // [A] l
  const at::Tensor positive = temperature_.logits(contrast.anchors.positive);  // [A] c s+
  const at::Tensor negative = temperature_.logits(contrast.terms[1]);          // [A] c m, of the nearest negative
  const at::Tensor negative_is_nearest = contrast.count.gt(0).logical_and(negative.gt(positive)).detach();
  // The negatives but the nearest are e^l - e^(c m), in units of e^(c m) expm1(l - c m); what rounding may have left is
  // none. A limit keeps the exponential of the branch that is not taken a number.
  const at::Tensor excess = all - negative;
  const at::Tensor known = (all.detach().abs() + 1.0) * (kRounding * epsilon_of(all));
  const at::Tensor further = excess.clamp(kLeast, kMostExponent).expm1().log();
  const at::Tensor others = at::where(excess > known, at::logaddexp(further, positive - negative), positive - negative);
  return at::where(negative_is_nearest, others, all - positive);
}

// Words. Candidates are the positive and the negatives; the nearest of them has the probability a = 1 - b; y is log(b /
// a). The movement raises or lowers it against all others, whose odds among each other stay.
//
// Example: as above, the positive is the nearest, y = -0.95054 and b = 0.27878. As a is above one half the nearest is
// lowered, by epsilon, and the others are raised: y' = -0.45054, and KL = 0.27878 (y - y') + sp(y') - sp(y) = 0.02685.
at::Tensor AdvIr::divergence(const Contrast& contrast, const at::Tensor& movement) const {
  // Minus infinity without a negative.
  const at::Tensor odds = odds_against_nearest(contrast).masked_fill(contrast.count == 0, 0.0);
  const at::Tensor before = odds.detach();
  // Of the two ways the one that changes the distribution more: away from what it is surer of.
  const at::Tensor moved = odds + at::where(before < 0, movement, -movement);
  const at::Tensor result = before.sigmoid() * (before - moved) + exact_softplus(moved) - exact_softplus(before);
  // Without a negative there is nothing against which the positive could be moved.
  return result.masked_fill(contrast.count == 0, 0.0);
}

}  // namespace negatron
