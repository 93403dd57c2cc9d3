#include "samplers/negative_samplers/dns.h"

namespace negatron {

SamplerDescription Dns::describe() {
  return {"dns",
          "Zhang et al., SIGIR 2013",
          "rows that are each the hardest of some random ones",
          {Effect::kIndexList},
          {{"n", std::int64_t{64}, "rows a query", 1},
           {"m", std::int64_t{5}, "random rows of which each is the hardest", 1}}};
}

Dns::Dns(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("n")),
      draws_(arguments.options.count("m")) {}

NegativeRequest Dns::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& set = request.sets.front();
  // n lists of m random slots each, and of each list the first by score, which is the default of draw_order.
  set.uniform_slots = rows_ * draws_;
  set.slot_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
  set.lists = rows_;
  set.draws = 1;
  return request;
}

}  // namespace negatron
