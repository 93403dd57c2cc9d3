#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Debiased contrastive learning with hard negatives reweighted (LOSSES.md 4 and 5): with N negatives,
///   log R = log N + LSE((1+beta) c s) - LSE(beta c s),
///   G = max((R - tau_plus N exp(c s+)) / (1 - tau_plus), N exp(-c)),
///   L = softplus(log G - c s+).
/// Where G is the floor ("clamped", reported) the negatives have no gradient. Local.
class Hcl : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Hcl(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<std::string> warnings(std::int64_t width) const override;
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

  /// log G [A], differentiable, and where it is the floor [A] bool. Without negatives of no meaning.
  struct Estimate {
    at::Tensor log_mass;
    at::Tensor clamped;
  };
  Estimate estimate(const Contrast& contrast) const;

 protected:
  enum class Anneal { kNone, kLinear, kSteps };
  /// Of the concentration beta.
  struct Concentration {
    double beta = 0.0;
    Anneal anneal = Anneal::kNone;
    bool attached = true;
    double at(double progress) const;
  };
  Hcl(const ObjectiveArguments& arguments, Concentration concentration);

 private:
  Temperature temperature_;
  /// --tau, from which a learned temperature starts.
  double first_tau_;
  double tau_plus_;
  Concentration concentration_;
};

/// The same without reweighting, beta = 0 (LOSSES.md 4).
class Debiased : public Hcl {
 public:
  static ObjectiveDescription describe();
  explicit Debiased(const ObjectiveArguments& arguments) : Hcl(arguments, Concentration{}) {}
};

}  // namespace negatron
