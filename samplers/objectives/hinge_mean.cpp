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
  ObjectiveTerm divisor = hinge;
  divisor.log_scale = at::Tensor();
  divisor.term.want_gradient = false;
  divisor.term.want_slope = false;
  if (hinge.term.query_offset.defined()) divisor.term.query_offset = hinge.term.query_offset.detach();
  if (mean == HingeMean::kAll) {
    divisor.term.shape = TermShape::kOne;
  } else {
    divisor.term.shape = hinge.term.shape == TermShape::kHinge ? TermShape::kStep : TermShape::kDistanceStep;
  }
  return divisor;
}

}  // namespace negatron
