#pragma once

#include <cstdint>

#include "samplers/objectives/registry.h"

namespace negatron {

/// FaceNet's training (LOSSES.md 20): every pair of views of one label in the batch of all ranks is a positive, and
/// with each goes the hardest view of another label that is still farther from the anchor, by less than the margin. The
/// loss is the mean over the triplets of all ranks of D+^2 - D-^2 + margin.
///
/// Collective. Bytes received per rank beside those of the views: 4 (1 + R) of each anchor of others, R the most
/// positives that an anchor has.
class TripletInBatch : public Objective {
 public:
  /// Anchors that are looked at together: for each there is a number for every view.
  static constexpr std::int64_t kAnchorsAtOnce = 512;

  static ObjectiveDescription describe();
  explicit TripletInBatch(const ObjectiveArguments& arguments);

  /// None: what an anchor meets depends on its positives.
  std::vector<ObjectiveTerm> terms(const Anchors&) const override { return {}; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  /// Of some own anchors, at `positions` [m]: what they meet and what that comes to.
  struct Triplets {
    at::Tensor negatives;  // [m, R] int64 positions, one for each positive; -1 where there is no such triplet
    at::Tensor value;      // [m] fp64, the sum of the hinges
  };
  /// `positives` [m, R] positions among all views, -1 for none. Local.
  Triplets choose(const AllViews& views, const at::Tensor& positions, const at::Tensor& positives) const;

  double margin_;
  bool falls_back_;
};

}  // namespace negatron
