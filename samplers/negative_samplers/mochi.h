#pragma once

#include <optional>

#include "samplers/negative_samplers/adapting/annealing.h"
#include "samplers/negative_samplers/adapting/exp3.h"
#include "samplers/negative_samplers/registry.h"
#include "samplers/negative_samplers/type_pools.h"

namespace negatron {

/// The whole bank and, for each query, mixes of its N hardest rows with each other (s) and with the query (s')
/// (Kalantidis et al., NeurIPS 2020; SAMPLERS.md 6). After a warm-up, since the hard set means little at first.
///
/// "fetch" draws pairs from the whole hard set, wherever its rows lie, as on one device; "no-fetch" draws pairs of rows
/// that share a rank whatever the number of ranks, so that no row travels (mix_recipe.h).
///
/// Options that go beyond the paper (SAMPLERS.md 6): `adapt` scales s and s' by a ramp after the warm-up or by the
/// proxy accuracy; `n-start` lets N shrink to n along the same ramp; `auto-n` chooses N by a bandit rewarded with the
/// change of proxy accuracy; `max-label-share` keeps one class from filling the hard set, by labels or, with
/// `clusters`, by pseudo-labels, of which `skip-own-cluster` leaves out the query's; `budgets` and `type-scales` say
/// how a hard set is made of several types of samples.
class Mochi : public NegativeSampler {
 public:
  explicit Mochi(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  void observe(const StepFeedback& feedback) override;
  std::map<std::string, double> metrics() const override;
  bool observes_accuracy() const override { return true; }
  std::string state() const override;
  void restore(const std::string& state) override;

 private:
  double strength(double epoch) const;
  std::int64_t hard_rows(double epoch) const;
  std::optional<MixRecipe> mixes_at(double epoch) const;

  NegativeRequest base_;
  MixRecipe plan_;
  TypePools pools_;
  double warmup_epochs_;
  /// How mixes grow after the warm-up; without a shape by the proxy accuracy.
  std::optional<AnnealingShape> growth_;
  double ramp_epochs_;
  std::int64_t start_rows_;
  /// Exponential mean of the proxy accuracy.
  double accuracy_ = 0.0;
  std::optional<Exp3> bandit_;
  double accuracy_at_choice_ = 0.0;
  std::int64_t steps_of_choice_ = 0;
  /// Of the last step, for the metrics.
  std::int64_t last_hard_ = 0;
  std::int64_t last_mixes_ = 0;
};

}  // namespace negatron
