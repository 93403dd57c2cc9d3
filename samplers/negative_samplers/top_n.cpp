#include "samplers/negative_samplers/top_n.h"

#include <stdexcept>

namespace negatron {

SamplerDescription TopN::describe() {
  return {"top-n",
          "Zhang et al., DNS, SIGIR 2013",
          "the N hardest rows of the whole bank, or a draw from them",
          {Effect::kMask, Effect::kIndexList},
          {{"n", std::int64_t{1024}, "N, rows", 1},
           {"draw", std::int64_t{0}, "of them so many at random, rows; 0 for all", 0},
           {"skip", std::int64_t{0}, "leave out the hardest, rows", 0},
           {"warmup-epochs", 0.0, "epochs with the whole bank first", 0.0}}};
}

TopN::TopN(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      n_(arguments.options.count("n")),
      draw_(arguments.options.count("draw")),
      skip_(arguments.options.count("skip")),
      warmup_epochs_(arguments.options.number("warmup-epochs")) {
  if (skip_ >= n_) throw std::invalid_argument("--sampler top-n: skip must be below n.");
  if (draw_ > n_ - skip_) throw std::invalid_argument("--sampler top-n: draw must not exceed n - skip.");
}

NegativeRequest TopN::request(const Bank&, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  // A young encoder's hardest rows mean little. The epoch is the same on all ranks, so all leave the warm-up in one
  // step.
  if (batch.epoch < warmup_epochs_) return request;
  NegativeSet& set = request.sets.front();
  // Ranks [skip, n) by s, and of them `draw` at random, where 0 keeps all (SAMPLERS.md 4). Ranks are over the whole
  // bank: a shard's own first n would be other rows on another number of ranks.
  set.first_rank = skip_;
  set.last_rank = n_;
  set.draws = draw_;
  set.draw_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
  return request;
}

}  // namespace negatron
