#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Lifted structured loss (LOSSES.md 15), D between unit vectors: with m_i = LSE_j(alpha - D_ij) over the
/// negatives of i, or their maximum, the pair of i and its partner p has J = log(exp(m_i) + exp(m_p)) + D_ip (or the
/// larger of both), and L = max(0, J)^2 / 2. Against a bank only the query's own negatives are known, then J = m_i +
/// D_ip. Local.
class Lifted : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Lifted(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  /// J [A] of each anchor with its partner.
  at::Tensor energies(const Contrast& contrast) const;

 private:
  double alpha_;
  bool maximum_;
};

}  // namespace negatron
