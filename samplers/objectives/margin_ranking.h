#pragma once

#include "samplers/objectives/hinge_mean.h"

namespace negatron {

/// Margin ranking (LOSSES.md 13): the mean of max(0, s_j - s+ + margin). With a rank weight it is WARP:
/// each query's mean over the negatives that violate the margin, times a weight of how many do, averaged over queries;
/// by exact count, or as the sampler estimates it. Local.
class MarginRanking : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit MarginRanking(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  bool terms_need_partners() const override { return true; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  enum class RankWeight { kNone, kHarmonic, kLog };
  double margin_;
  HingeMean mean_;
  RankWeight rank_weight_;
};

}  // namespace negatron
