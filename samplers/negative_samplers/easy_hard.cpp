#include "samplers/negative_samplers/easy_hard.h"

#include <cmath>

namespace negatron {
namespace {

constexpr const char* kPlateau = "plateau";

}  // namespace

SamplerDescription EasyHard::describe() {
  return {"easy-hard",
          "Cai et al., arXiv 2010.06682",
          "the hardest rows and a draw that stands for all others, as a curriculum",
          {Effect::kMask, Effect::kIndexList},
          {{"rows", std::int64_t{1024}, "a query, hard and drawn together", 1},
           {"hard-share-start", 0.0, "share of the hardest at first", 0.0, 1.0},
           {"hard-share", 0.5, "share of the hardest in the end", 0.0, 1.0},
           {"anneal",
            std::string("linear"),
            "how it goes there; plateau follows the loss",
            {},
            {},
            annealing_shapes_or(kPlateau)},
           {"anneal-epochs", 10.0, "epochs until it is there", 0.0},
           {"skip-hardest", 0.0, "leave out the hardest, share of the bank (0.001 after the paper)", 0.0, 1.0}}};
}

EasyHard::EasyHard(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("rows")),
      hard_share_(arguments.options.word("anneal"), kPlateau,
                  {arguments.options.number("hard-share-start"), arguments.options.number("hard-share"),
                   arguments.options.number("anneal-epochs")}),
      skip_share_(arguments.options.number("skip-hardest")) {}

NegativeRequest EasyHard::request(const Bank& bank, const QueryBatch& batch) const {
  // Two sets of ranks, SAMPLERS.md 8: the `hard` rows behind those skipped, and `drawn` of the `rest` behind them. K =
  // 65,536, 1024 rows, a share of 0.5: ranks [0, 512), and 512 of the 65,024 others, each of which counts 65,024 / 512
  // = 127 times. The sets are disjoint, so exp of the log-sum-exp over both estimates that of all rows but those
  // skipped.
  const std::int64_t filled = bank.filled();
  const auto skipped = static_cast<std::int64_t>(skip_share_ * static_cast<double>(filled));
  const std::int64_t hard = std::llround(hard_share_.at(batch.epoch) * static_cast<double>(rows_));
  const std::int64_t drawn = rows_ - hard;
  const std::int64_t rest = filled - skipped - hard;

  NegativeRequest request = base_;
  request.sets.clear();
  if (hard > 0) {
    NegativeSet hardest;
    hardest.first_rank = skipped;
    hardest.last_rank = skipped + hard;
    request.sets.push_back(hardest);
  }
  // A bank that has just begun to fill may hold fewer rows than are hard: then there is nothing else to draw from.
  if (drawn > 0 && rest > 0) {
    NegativeSet others;
    others.first_rank = skipped + hard;
    others.draws = drawn;
    others.draw_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
    // Where the draw takes all of the rest, each row stands for itself.
    if (rest > drawn) others.weight = static_cast<double>(rest) / static_cast<double>(drawn);
    request.sets.push_back(others);
  }
  return request;
}

void EasyHard::observe(const StepFeedback& feedback) {
  // The metric is of the step that was; the loss then moves the share of the next.
  last_share_ = hard_share_.at(feedback.epoch);
  hard_share_.observe(feedback.loss);
}

}  // namespace negatron
