#include "samplers/objectives/nce.h"

#include <cmath>

#include "samplers/objectives/exact_softplus.h"

namespace negatron {
namespace {

/// log(k / M); k and M are the whole bank unless the options say otherwise.
double log_noise_ratio(const ObjectiveArguments& arguments) {
  const auto items = static_cast<double>(arguments.options.count("items"));
  const auto noise = static_cast<double>(arguments.options.count("noise-count"));
  const auto bank = static_cast<double>(arguments.bank_rows > 0 ? arguments.bank_rows : 1);
  return std::log((noise > 0.0 ? noise : bank) / (items > 0.0 ? items : bank));
}

}  // namespace

ObjectiveDescription Nce::describe() {
  return {"nce",
          "Gutmann and Hyvarinen, NCE, AISTATS 2010; Wu et al., InstDisc, CVPR 2018",
          "tells the positive from noise, one logistic decision each",
          {{.name = "log-z",
            .default_value = std::string("fixed"),
            .help = "the model's normaliser",
            .choices = {"fixed", "learned"}},
           {"log-z-value", 0.0, "log of the normaliser, or where learning starts"},
           {"noise-count", std::int64_t{0}, "k, noise samples a query; 0 for as many as bank rows", 0},
           {"items", std::int64_t{0}, "M, items that noise is drawn from; 0 for the bank rows", 0}}};
}

Nce::Nce(const ObjectiveArguments& arguments)
    : temperature_(arguments.temperature), fixed_shift_(log_noise_ratio(arguments)) {
  const double log_z = arguments.options.number("log-z-value");
  if (arguments.options.word("log-z") == "learned") {
    log_z_ = learned_scalar(log_z, arguments.temperature);
  } else {
    // Otherwise learning starts from it, and log Z is no part of what is fixed.
    fixed_shift_ += log_z;
  }
}

std::vector<ObjectiveTerm> Nce::terms(const Anchors& anchors) const {
  // sum_j sp(c s_j - h) with h = log Z + log(k / M) (LOSSES.md 8). What is fixed of h is the term's constant offset. A
  // learned log Z is an offset per query, the same for all, so that its gradient comes by the slope: the sum of the
  // sigmoids.
  ObjectiveTerm noise = temperature_.log_sum_exp();
  noise.term.shape = TermShape::kSoftplus;
  noise.term.reduction = Reduction::kSum;
  noise.term.offset = -fixed_shift_;
  if (log_z_.defined()) {
    noise.term.query_offset = log_z_.to(anchors.vectors.scalar_type()).neg().expand(anchors.vectors.size(0));
    noise.term.want_slope = true;
  }
  return {noise};
}

ObjectiveLoss Nce::loss(Communicator&, const Contrast& contrast) const {
  // The positive is told from noise by the same h. With h = 0 the example has 0.01815 for it, and 3.04859 + 0.69315 +
  // 0.01815 for the three negatives.
  at::Tensor logit = temperature_.logits(contrast.anchors.positive) - fixed_shift_;
  if (log_z_.defined()) logit = logit - log_z_.to(logit.scalar_type());
  ObjectiveLoss result;
  result.per_anchor = exact_softplus(-logit) + contrast.terms[0];
  return result;
}

std::vector<at::Tensor> Nce::parameters() const {
  std::vector<at::Tensor> all = temperature_.parameters();
  if (log_z_.defined()) all.push_back(log_z_);
  return all;
}

}  // namespace negatron
