#include "samplers/negative_samplers/ring.h"

namespace negatron {
namespace {

constexpr const char* kAdaptive = "adaptive";

}  // namespace

SamplerDescription Ring::describe() {
  return {"ring",
          "Wu et al., Conditional NCE, ICLR 2021",
          "neither the easiest nor the hardest: a window of ranks",
          {Effect::kMask},
          {{"outer", 0.1, "where the ring ends, share of the bank", 0.0, 1.0},
           {"inner", 0.1, "where it starts, share of the outer rank (or of the bank)", 0.0, 1.0},
           {"inner-of-outer", true, "the inner share is of the outer rank"},
           {"anneal",
            std::string("none"),
            "how the outer share goes from 1 to its end",
            {},
            {},
            annealing_shapes_or(kAdaptive)},
           {"anneal-epochs", 10.0, "epochs until it is there", 0.0}}};
}

Ring::Ring(const SamplerArguments& arguments)
    : base_(arguments.base),
      outer_(arguments.options.word("anneal"), kAdaptive,
             {1.0, arguments.options.number("outer"), arguments.options.number("anneal-epochs")}),
      inner_(arguments.options.number("inner")),
      inner_of_outer_(arguments.options.on("inner-of-outer")) {}

NegativeRequest Ring::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  // Ranks [inner, outer) by s. K = 4096 with shares of 0.1: outer = int(409.6) = 409, inner = int(40.9) = 40, which
  // leaves 369 rows (SAMPLERS.md 5). Counts are of what the bank holds now, over all ranks, so every rank asks for the
  // same window.
  const auto filled = static_cast<double>(bank.filled());
  NegativeSet& set = request.sets.front();
  // Cut off and not rounded. An outer share of 0 is a ring without rows, whose loss is that of no negative.
  set.last_rank = static_cast<std::int64_t>(outer_.at(batch.epoch) * filled);
  set.first_rank = static_cast<std::int64_t>(inner_ * (inner_of_outer_ ? static_cast<double>(set.last_rank) : filled));
  return request;
}

void Ring::observe(const StepFeedback& feedback) {
  // The metric is of the step that was; the loss then moves the share of the next.
  last_outer_ = outer_.at(feedback.epoch);
  outer_.observe(feedback.loss);
}

}  // namespace negatron
