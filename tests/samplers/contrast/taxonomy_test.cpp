// Samplers of the literature that are not in the registry, each written against the one interface: what is to come fits
// without changing it (samplers/negative_samplers/SAMPLERS.md 1 lists the five effects, 22 these methods).

#include <gtest/gtest.h>

#include "samplers/exchange/ranking/slot_draws.h"
#include "tests/samplers/contrast/sampler_trial.h"

namespace negatron::testing {
namespace {

SelectionOrder random_order(std::int64_t step) {
  return {SelectionOrder::By::kRandom, 1.0, 17, Purpose::kNegativeDraw, step};
}

/// What one method asks for, with how many negatives a query then meets (-1: it depends).
struct Method {
  const char* name;
  std::int64_t negatives;
  std::function<NegativeRequest(const Bank&, const QueryBatch&)> draw;
};

class ByFunction : public NegativeSampler {
 public:
  explicit ByFunction(const Method& method) : method_(method) {}
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override {
    return method_.draw(bank, batch);
  }
  /// Some of them do.
  bool draws_by_keys() const override { return true; }

 private:
  const Method& method_;
};

NegativeRequest with_set(const NegativeSet& set) {
  NegativeRequest request;
  request.sets = {set};
  return request;
}

const std::vector<Method> kMethods = {
    // ANCE : 5 at random of the 15 hardest.
    {"ance", 5,
     [](const Bank&, const QueryBatch& batch) {
       NegativeSet set;
       set.last_rank = 15;
       set.draws = 5;
       set.draw_order = random_order(batch.step);
       return with_set(set);
     }},
    // PinSage : 3 at random of a window of ranks, beside a shared random set.
    {"pinsage", -1,
     [](const Bank&, const QueryBatch& batch) {
       NegativeSet hard;
       hard.first_rank = 10;
       hard.last_rank = 20;
       hard.draws = 3;
       hard.draw_order = random_order(batch.step);
       NegativeRequest request = with_set(hard);
       NegativeSet shared;
       const at::Tensor same = at::zeros({batch.queries.size(0)}, at::kLong);
       shared.slots = draw_uniform_slots(random_order(batch.step), same, 8, 40);
       request.sets.push_back(shared);
       return request;
     }},
    // BootEA : 4 at random of the nearest fifth of the positive.
    {"bootea", 4,
     [](const Bank& bank, const QueryBatch& batch) {
       NegativeSet set;
       set.order.by = SelectionOrder::By::kPositiveScore;
       set.last_rank = bank.filled() / 5;
       set.draws = 4;
       set.draw_order = random_order(batch.step);
       return with_set(set);
     }},
    // WARP , exact: one violator of the margin, all alike.
    {"warp", -1,
     [](const Bank&, const QueryBatch& batch) {
       NegativeSet set;
       set.lower_score = (batch.queries * batch.keys).sum(1) - 0.3;
       set.draws = 1;
       set.draw_order = random_order(batch.step);
       return with_set(set);
     }},
    // IRGAN : a draw from the softmax over all rows.
    {"irgan", 1,
     [](const Bank&, const QueryBatch& batch) {
       NegativeSet set;
       set.draws = 1;
       set.draw_order = {SelectionOrder::By::kGumbel, 5.0, 17, Purpose::kNegativeDraw, batch.step};
       return with_set(set);
     }},
    // GraphGAN, KGPolicy : rows that a walk names; here by the sample's id.
    {"walk", 2,
     [](const Bank&, const QueryBatch& batch) {
       NegativeSet set;
       set.slots = at::stack({batch.ids.remainder(20), batch.ids.remainder(20) + 20}, 1);
       NegativeRequest request = with_set(set);
       request.exclude_own_sample = false;
       return request;
     }},
    // HeGAN : vectors that a sampler makes; here half query, half key.
    {"generator", -1,
     [](const Bank&, const QueryBatch& batch) {
       NegativeRequest request;
       const at::Tensor made = batch.queries + batch.keys;
       request.vectors = (made / made.norm(2, {1}, true)).unsqueeze(1);
       return request;
     }},
};

SamplerTrial trial_of(const Method& method) {
  SamplerTrial trial;
  trial.make_sampler = [&method] { return std::make_unique<ByFunction>(method); };
  return trial;
}

TEST(Taxonomy, EveryMethodGivesTheSameAnswerOnAnyNumberOfRanks) {
  for (const Method& method : kMethods) {
    const SamplerOutcome alone = run_sampler_trial(trial_of(method), 1, 1);
    ASSERT_TRUE(alone.gradients.isfinite().all().item<bool>()) << method.name;
    if (method.negatives >= 0) {
      EXPECT_TRUE(alone.counts.eq(method.negatives).all().item<bool>()) << method.name;
    }
    for (const int ranks : {2, 3, 4}) {
      EXPECT_LT(difference(alone, run_sampler_trial(trial_of(method), ranks, ranks)), 1e-12)
          << method.name << " on " << ranks << " ranks";
    }
  }
}

}  // namespace
}  // namespace negatron::testing
