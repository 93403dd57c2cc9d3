#include "samplers/negative_samplers/softmax_draw.h"

namespace negatron {

SamplerDescription SoftmaxDraw::describe() {
  return {"softmax",
          "Park and Chang, AdvIR, WWW 2019",
          "rows drawn from the softmax of the scores",
          {Effect::kIndexList},
          {{"m", std::int64_t{64}, "draws a query, without replacement", 1},
           {"temperature", 0.1, "T of softmax(score / T)", 1e-4}}};
}

SoftmaxDraw::SoftmaxDraw(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("m")),
      temperature_(arguments.options.number("temperature")) {}

NegativeRequest SoftmaxDraw::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& set = request.sets.front();
  // The first m rows by s / T + g with a Gumbel number g for each: m draws without replacement from softmax(s / T), for
  // which no rank needs the sum over the bank (SAMPLERS.md 13).
  set.draws = rows_;
  set.draw_order = {SelectionOrder::By::kGumbel, 1.0 / temperature_, seed_, Purpose::kNegativeDraw, batch.step};
  return request;
}

}  // namespace negatron
