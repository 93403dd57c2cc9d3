#include "samplers/negative_samplers/ring.h"

namespace negatron {
namespace {

constexpr const char* kAdaptive = "adaptive";
/// Of the official code, on the loss: how many values the recent mean runs over, and how far one step moves.
constexpr std::size_t kAdaptiveWindow = 10;
constexpr double kAdaptiveDelta = 0.01;

std::vector<std::string> ring_shapes() {
  std::vector<std::string> all = annealing_shapes();
  all.emplace_back(kAdaptive);
  return all;
}

}  // namespace

SamplerDescription Ring::describe() {
  return {"ring",
          "Wu et al., Conditional NCE, ICLR 2021",
          "neither the easiest nor the hardest: a window of ranks",
          {Effect::kMask},
          {{"outer", 0.1, "where the ring ends, share of the bank", 0.0, 1.0},
           {"inner", 0.1, "where it starts, share of the outer rank (or of the bank)", 0.0, 1.0},
           {"inner-of-outer", true, "the inner share is of the outer rank"},
           {"anneal", std::string("none"), "how the outer share goes from 1 to its end", {}, {}, ring_shapes()},
           {"anneal-epochs", 10.0, "epochs until it is there", 0.0}}};
}

Ring::Ring(const SamplerArguments& arguments)
    : base_(arguments.base),
      outer_(arguments.options.number("outer")),
      inner_(arguments.options.number("inner")),
      inner_of_outer_(arguments.options.on("inner-of-outer")),
      anneal_(arguments.options.word("anneal")),
      anneal_epochs_(arguments.options.number("anneal-epochs")),
      adaptive_(1.0, arguments.options.number("outer"), kAdaptiveWindow, kAdaptiveDelta) {}

double Ring::outer_share(double epoch) const {
  if (anneal_ == kAdaptive) return adaptive_.value();
  return annealed(anneal_, 1.0, outer_, anneal_epochs_ > 0.0 ? epoch / anneal_epochs_ : 1.0);
}

NegativeRequest Ring::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  last_outer_ = outer_share(batch.epoch);
  const auto filled = static_cast<double>(bank.filled());
  NegativeSet& set = request.sets.front();
  set.last_rank = static_cast<std::int64_t>(last_outer_ * filled);
  set.first_rank = static_cast<std::int64_t>(inner_ * (inner_of_outer_ ? static_cast<double>(set.last_rank) : filled));
  return request;
}

void Ring::observe(const StepFeedback& feedback) {
  if (anneal_ == kAdaptive) adaptive_.observe(feedback.loss);
}

}  // namespace negatron
