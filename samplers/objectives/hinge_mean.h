#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Margin losses: the mean of hinges over pairs or triplets, all of them or those above 0. The mean over all vanishes
/// as training goes on, because most become inactive; the mean over active ones does not (LOSSES.md 18). Local.
enum class HingeMean { kAll, kActive };

/// The option "reduction" and its value.
MethodOption hinge_mean_option();
HingeMean hinge_mean_of(const MethodOptions& options);

/// Of `hinge`, a sum of hinges: the sum of what it is divided by. Its offset takes no gradient.
ObjectiveTerm divisor_of(const ObjectiveTerm& hinge, HingeMean mean);

}  // namespace negatron
