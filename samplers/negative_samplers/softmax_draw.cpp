#include "samplers/negative_samplers/softmax_draw.h"

#include <stdexcept>

namespace negatron {

SamplerDescription SoftmaxDraw::describe() {
  return {
      "softmax",
      "Park and Chang, AdvIR, WWW 2019; Cai and Wang, KBGAN, NAACL 2018",
      "rows drawn from the softmax of the scores",
      {Effect::kIndexList},
      {{"m", std::int64_t{64}, "draws a query, without replacement", 1},
       {"candidates", std::int64_t{0}, "of so many random rows (KBGAN) instead of the whole bank; 0 for the whole", 0},
       {"temperature", 0.1, "T of softmax(score / T)", 1e-4}}};
}

SoftmaxDraw::SoftmaxDraw(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("m")),
      candidates_(arguments.options.count("candidates")),
      temperature_(arguments.options.number("temperature")) {
  if (candidates_ > 0 && candidates_ <= rows_) {
    throw std::invalid_argument("--sampler softmax: candidates must be 0, or more than m, the rows drawn of them.");
  }
}

NegativeRequest SoftmaxDraw::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& set = request.sets.front();
  // The first m rows by s / T + g with a Gumbel number g for each: m draws without replacement from softmax(s / T), for
  // which no rank needs the sum over the bank (SAMPLERS.md 13).
  set.draws = rows_;
  set.draw_order = {SelectionOrder::By::kGumbel, 1.0 / temperature_, seed_, Purpose::kNegativeDraw, batch.step};
  if (candidates_ > 0) {
    set.uniform_slots = candidates_;
    set.slot_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
    set.draw_order.purpose = Purpose::kListChoice;
  }
  return request;
}

}  // namespace negatron
