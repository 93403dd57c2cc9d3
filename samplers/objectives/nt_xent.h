#pragma once

#include "samplers/objectives/objective.h"
#include "samplers/objectives/temperature.h"

namespace negatron {

/// NT-Xent over both views of the whole global batch, as SimCLR does (algorithms.md 3.7): each of the 2 Bg views is an
/// anchor, its partner the positive, the other 2 Bg - 2 views the negatives; the mean over all anchors. Only the anchor
/// itself and its partner are left out of the negatives: two copies of one sample in a batch do meet.
///
/// Collective, gradient exact to both sides of every pair of views. Views are gathered; what the columns add to the
/// gradient needs no gradient exchange, only every row's log-sum-exp T, as p_ij = exp(c z_i . z_j - T_i) (1.10):
///   dL/dz_j = c / (2 Bg) [ pi_j (O_j - z_p) + sum_i p_ij z_i - pi_p z_p ],  p the partner, i neither j nor p.
/// Bytes received per rank, w bytes an element: (Bg - b) 2 d w for views and (Bg - b) 2 w for log-sum-exps.
class NtXent : public Objective {
 public:
  explicit NtXent(const TemperatureOptions& temperature) : temperature_(temperature) {}

  std::vector<double> scales() const override { return {temperature_.scale()}; }
  bool needs_bank() const override { return false; }
  bool needs_key_gradient() const override { return true; }
  /// Similarities and accuracy are those of the b anchors that are queries.
  ObjectiveOutput compute(Communicator& comm, const ObjectiveInput& input) override;
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
};

}  // namespace negatron
