#include "samplers/objectives/hinge_mean.h"

namespace negatron {

MethodOption hinge_mean_option() {
  return {.name = "reduction",
          .default_value = std::string("active"),
          .help = "mean over all hinges or over those above 0",
          .choices = {"active", "all"}};
}

HingeMean hinge_mean_of(const MethodOptions& options) {
  return options.word("reduction") == "all" ? HingeMean::kAll : HingeMean::kActive;
}

ObjectiveTerm divisor_of(const ObjectiveTerm& hinge, HingeMean mean) {
  // The hinge's own argument under another shape, a step or the constant 1: it counts the very hinges that are summed,
  // in the same sweep. It takes no gradient, as the divisor of a mean is no part of what is minimised (LOSSES.md 18).
  ObjectiveTerm divisor = hinge;
  divisor.log_scale = at::Tensor();
  divisor.term.want_gradient = false;
  divisor.term.want_slope = false;
  // An offset that takes gradient would ask for a slope, which the divisor does without.
  if (hinge.term.query_offset.defined()) divisor.term.query_offset = hinge.term.query_offset.detach();
  if (mean == HingeMean::kAll) {
    divisor.term.shape = TermShape::kOne;
  } else {
    divisor.term.shape = hinge.term.shape == TermShape::kHinge ? TermShape::kStep : TermShape::kDistanceStep;
  }
  return divisor;
}

}  // namespace negatron
