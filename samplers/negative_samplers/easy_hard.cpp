#include "samplers/negative_samplers/easy_hard.h"

#include <cmath>

namespace negatron {
namespace {

constexpr const char* kPlateau = "plateau";
constexpr std::size_t kPlateauWindow = 10;
constexpr double kPlateauDelta = 0.01;

std::vector<std::string> easy_hard_shapes() {
  std::vector<std::string> all = annealing_shapes();
  all.emplace_back(kPlateau);
  return all;
}

}  // namespace

SamplerDescription EasyHard::describe() {
  return {"easy-hard",
          "Cai et al., arXiv 2010.06682",
          "the hardest rows and a draw that stands for all others, as a curriculum",
          {Effect::kMask, Effect::kIndexList},
          {{"rows", std::int64_t{1024}, "a query, hard and drawn together", 1},
           {"hard-share-start", 0.0, "share of the hardest at first", 0.0, 1.0},
           {"hard-share", 0.5, "share of the hardest in the end", 0.0, 1.0},
           {"anneal", std::string("linear"), "how it goes there; plateau follows the loss", {}, {}, easy_hard_shapes()},
           {"anneal-epochs", 10.0, "epochs until it is there", 0.0},
           {"skip-hardest", 0.0, "leave out the hardest, share of the bank (0.001 after the paper)", 0.0, 1.0}}};
}

EasyHard::EasyHard(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("rows")),
      start_(arguments.options.number("hard-share-start")),
      end_(arguments.options.number("hard-share")),
      anneal_(arguments.options.word("anneal")),
      anneal_epochs_(arguments.options.number("anneal-epochs")),
      skip_share_(arguments.options.number("skip-hardest")),
      adaptive_(start_, end_, kPlateauWindow, kPlateauDelta) {}

NegativeRequest EasyHard::request(const Bank& bank, const QueryBatch& batch) const {
  const double progress = anneal_epochs_ > 0.0 ? batch.epoch / anneal_epochs_ : 1.0;
  last_share_ = anneal_ == kPlateau ? adaptive_.value() : annealed(anneal_, start_, end_, progress);
  const std::int64_t filled = bank.filled();
  const auto skipped = static_cast<std::int64_t>(skip_share_ * static_cast<double>(filled));
  const std::int64_t hard = std::llround(last_share_ * static_cast<double>(rows_));
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
  if (drawn > 0 && rest > 0) {
    NegativeSet others;
    others.first_rank = skipped + hard;
    others.draws = drawn;
    others.draw_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kNegativeDraw, batch.step};
    if (rest > drawn) others.weight = static_cast<double>(rest) / static_cast<double>(drawn);
    request.sets.push_back(others);
  }
  return request;
}

void EasyHard::observe(const StepFeedback& feedback) {
  if (anneal_ == kPlateau) adaptive_.observe(feedback.loss);
}

}  // namespace negatron
