#include "samplers/negative_samplers/max_sampling.h"

namespace negatron {

SamplerDescription MaxSampling::describe() {
  return {"max-sampling",
          "Rao, He, Lin, CIKM 2016",
          "the rows most similar to the positive",
          {Effect::kIndexList},
          {{"m", std::int64_t{64}, "rows a query", 1},
           {"rule", std::string("max"), "all by similarity, or half of them at random", {}, {}, {"max", "mix"}}}};
}

MaxSampling::MaxSampling(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("m")),
      mix_(arguments.options.word("rule") == "mix") {}

NegativeRequest MaxSampling::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& hard = request.sets.front();
  // The first m ranks by t = k . n. With `mix` a second set draws from the ranks behind these, so that no row is met
  // twice: m = 5 takes ranks 0, 1, 2 and draws 2 others (SAMPLERS.md 11).
  hard.order.by = SelectionOrder::By::kPositiveScore;
  hard.last_rank = mix_ ? (rows_ + 1) / 2 : rows_;
  if (mix_ && rows_ > 1) {
    NegativeSet random;
    random.order = hard.order;
    random.first_rank = hard.last_rank;
    random.draws = rows_ - hard.last_rank;
    random.draw_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
    request.sets.push_back(random);
  }
  return request;
}

}  // namespace negatron
