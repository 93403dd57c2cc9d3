#pragma once

#include <cstdint>
#include <string>

namespace negatron {

/// Up to which s+ the debiased estimator is open, expected for isotropic unit vectors of width d, whose mean reweighted
/// exponential is about exp((1 + 2 beta) / (2 d tau^2)) (LOSSES.md 5): above, the estimate lies below its floor
/// and the negatives have no gradient. Infinite when tau_plus is 0. Local.
double open_up_to(double tau, double tau_plus, double beta, std::int64_t d);

/// A sentence for the start of a run whose estimator closes below s+ = 1, with the number; empty when always open.
std::string clamp_warning(double tau, double tau_plus, double beta, std::int64_t d);

}  // namespace negatron
