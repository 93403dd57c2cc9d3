#include "samplers/objectives/debiased_clamp.h"

#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

namespace negatron {

double open_up_to(double tau, double tau_plus, double beta, std::int64_t d) {
  // Nothing is subtracted, so the estimate never falls to its floor.
  if (tau_plus <= 0.0) return std::numeric_limits<double>::infinity();
  // The s+ at which estimate and floor are equal, LOSSES.md 5. tau = 0.2, tau_plus = 0.1, beta = 0, d = 128: the log
  // mass is 0.0977, the second summand -0.0055, the third 2.3026, together 2.3947, times tau 0.479.
  const double log_mass = (1.0 + 2.0 * beta) / (2.0 * static_cast<double>(d) * tau * tau);
  // Open while (mass - tau_plus e^(s+/tau)) / (1 - tau_plus) is above e^(-1/tau).
  const double log_floor = std::log1p(-tau_plus) - 1.0 / tau;
  return tau * (log_mass + std::log1p(-std::exp(log_floor - log_mass)) - std::log(tau_plus));
}

std::string clamp_warning(double tau, double tau_plus, double beta, std::int64_t d) {
  // A similarity cannot exceed 1: from there on the estimate is open for every query, and there is nothing to warn of.
  const double limit = open_up_to(tau, tau_plus, beta, d);
  if (limit >= 1.0) return {};
  std::ostringstream text;
  text << std::setprecision(2) << "With --tau " << tau << " and tau-plus " << tau_plus
       << " negatives are expected to have no gradient for queries whose positive is more similar than " << std::fixed
       << limit << "; choose tau-plus near the share of your data that is of a query's class ("
       << "0.01 for 100 classes), and watch the metric 'clamped'.";
  return text.str();
}

}  // namespace negatron
