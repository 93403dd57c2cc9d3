#include "samplers/negative_samplers/max_sampling.h"

#include <stdexcept>

namespace negatron {

SamplerDescription MaxSampling::describe() {
  return {"max-sampling",
          "Rao, He, Lin, CIKM 2016",
          "the rows most similar to the positive",
          {Effect::kIndexList},
          {{"m", std::int64_t{64}, "rows a query", 1},
           {"candidates", std::int64_t{0}, "of so many random rows instead of the whole bank; 0 for the whole", 0},
           {"rule", std::string("max"), "all by similarity, or half of them at random", {}, {}, {"max", "mix"}}}};
}

MaxSampling::MaxSampling(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("m")),
      candidates_(arguments.options.count("candidates")),
      mix_(arguments.options.word("rule") == "mix") {
  if (candidates_ > 0 && candidates_ < rows_) {
    throw std::invalid_argument("--sampler max-sampling: candidates must be 0, or at least m.");
  }
}

NegativeRequest MaxSampling::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& hard = request.sets.front();
  // The first m ranks by t = k . n. With `mix` a second set draws from the ranks behind these, so that no place is met
  // twice: m = 5 takes ranks 0, 1, 2 and draws 2 others (SAMPLERS.md 11).
  hard.order.by = SelectionOrder::By::kPositiveScore;
  hard.uniform_slots = candidates_;
  hard.slot_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
  hard.last_rank = mix_ ? (rows_ + 1) / 2 : rows_;
  if (mix_ && rows_ > 1) {
    NegativeSet random = hard;
    random.first_rank = hard.last_rank;
    random.last_rank = NegativeSet::kAllRanks;
    random.draws = rows_ - hard.last_rank;
    random.draw_order = hard.slot_order;
    if (candidates_ > 0) random.draw_order.purpose = Purpose::kListChoice;
    request.sets.push_back(random);
  }
  return request;
}

}  // namespace negatron
