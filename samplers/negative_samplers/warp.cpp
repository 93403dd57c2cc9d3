#include "samplers/negative_samplers/warp.h"

namespace negatron {

SamplerDescription Warp::describe() {
  return {"warp",
          "Weston et al., WSABIE, IJCAI 2011",
          "the first of some random rows that violates the margin",
          {Effect::kMask, Effect::kIndexList},
          {{"margin", 0.1, "in units of similarity; that of --objective margin-ranking", 0.0},
           {"trials", std::int64_t{100}, "random rows at most", 1}}};
}

Warp::Warp(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      margin_(arguments.options.number("margin")),
      most_trials_(arguments.options.count("trials")) {}

NegativeRequest Warp::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& set = request.sets.front();
  set.uniform_slots = most_trials_;
  set.slot_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
  // Of this step's keys: the sampler cannot describe its request before they are there, and says so (draws_by_keys).
  set.lower_score = (batch.queries * batch.keys).sum(1) - margin_;
  set.draws = 1;
  set.draws_as_listed = true;
  return request;
}

}  // namespace negatron
