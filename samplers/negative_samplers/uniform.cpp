#include "samplers/negative_samplers/uniform.h"

namespace negatron {

SamplerDescription Uniform::describe() {
  return {"uniform",
          "Wu et al., InstDisc, CVPR 2018",
          "some rows at random",
          {Effect::kIndexList},
          {{"m", std::int64_t{1024}, "draws a query, with replacement", 1},
           {"stand-for-bank", false, "each draw counts K / m times: estimates sums over the whole bank"}}};
}

Uniform::Uniform(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("m")),
      stand_for_bank_(arguments.options.on("stand-for-bank")) {}

NegativeRequest Uniform::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& set = request.sets.front();
  // Draws of slots, with replacement. Each counts K / m times where it is to stand for the bank: 1024 draws from 65,536
  // rows count 64 times each, and sums over them estimate those over all rows without bias (SAMPLERS.md 12).
  set.uniform_slots = rows_;
  set.slot_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
  if (stand_for_bank_) set.weight = static_cast<double>(bank.filled()) / static_cast<double>(rows_);
  return request;
}

}  // namespace negatron
