#include "samplers/negative_samplers/mochi.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "samplers/negative_samplers/adapting/saved_number.h"

namespace negatron {
namespace {

constexpr const char* kMochi = "--sampler mochi";
constexpr const char* kProxy = "proxy";
constexpr const char* kBudgets = "budgets";
constexpr const char* kTypeScales = "type-scales";
/// Between these proxy accuracies the mixes grow from none to all.
constexpr double kNoMixesBelow = 0.1;
constexpr double kAllMixesAbove = 0.5;
/// Of the running mean of the proxy accuracy, per step.
constexpr double kAccuracyMomentum = 0.99;
/// What auto-n chooses between, as factors of n, how long it keeps a choice, and how much it explores.
constexpr std::array<double, 4> kFactors = {0.25, 0.5, 1.0, 2.0};
constexpr std::int64_t kStepsPerChoice = 200;
constexpr double kExploration = 0.2;

[[noreturn]] void refuse(const std::string& reason) {
  throw std::invalid_argument(std::string(kMochi) + ": " + reason + ".");
}

/// A mix that the query is part of is not linear in the query, so its term has no scale to learn.
std::string attached_mixes_refusal(const MethodOptions& options) {
  if (!options.on("attached")) return {};
  return "--sampler mochi with attached=on does not go with a learned scale; choose attached=off, or an objective and "
         "--learn-tau off without one.";
}

/// Such pairs are rows of one position in several batches.
std::string local_pairs_refusal(const MethodOptions& options) {
  if (options.word("mode") != "no-fetch") return {};
  return "--sampler mochi with mode=no-fetch pairs rows of several batches, and rows that stay (--bank-kind memory, "
         "index or "
         "learned) are of one; choose mode=fetch.";
}

/// What the rows of pools are told apart by.
bool has_type_rules(const MethodOptions& options) {
  return !options.numbers(kBudgets).empty() || !options.numbers(kTypeScales).empty();
}

}  // namespace

SamplerDescription Mochi::describe() {
  SamplerDescription description = {
      "mochi",
      "Kalantidis et al., MoCHi, NeurIPS 2020",
      "the whole bank and mixes of the hardest rows",
      {Effect::kVectors},
      {{"n", std::int64_t{1024}, "N, hardest rows to mix from", 1},
       {"s", std::int64_t{1024}, "mixes of two rows, a query", 0},
       {"s-prime", std::int64_t{128}, "mixes with the query, a query", 0},
       {"mode",
        std::string("fetch"),
        "pairs over all ranks, or only such that no row travels",
        {},
        {},
        {"fetch", "no-fetch"}},
       {"warmup-epochs", 10.0, "epochs without mixes first", 0.0},
       {"distinct", true, "the two rows of a pair differ"},
       {"attached", false, "gradient also flows through the query in its mixes"},
       {"max-query-share", 0.5, "a query's part in its mixes is uniform up to this", 0.0, 1.0},
       {"max-label-share", 1.0, "most of the hard set that one label may fill (fetch; needs labels)", 0.0, 1.0},
       {"clusters", std::int64_t{0}, "labels are those of so many k-means clusters of the bank; 0 for the data's", 0},
       {"skip-own-cluster", false, "never mix rows of the query's own cluster (fetch)"},
       {kBudgets, NumberList{}, "of n, rows of sample type 0, 1, ...: 512/256 (fetch)", 0.0},
       {kTypeScales, NumberList{}, "factors of the scores of type 0, 1, ... in the ranking: 1/0.8", 0.0},
       {"adapt", std::string("none"), "how s and s' grow after the warm-up", {}, {}, annealing_shapes_or(kProxy)},
       {"ramp-epochs", 10.0, "epochs that adapt takes", 0.0},
       {"n-start", std::int64_t{0}, "N shrinks from this to n along the ramp, rows; 0 for no", 0},
       {"auto-n", false, "choose N among n/4, n/2, n, 2n by what the proxy accuracy gains"}}};
  description.tells_types_apart = has_type_rules;
  description.refuses_learned_scale = attached_mixes_refusal;
  description.refuses_one_batch = local_pairs_refusal;
  description.why_unit_rows = "its mixes are scaled to unit length";
  return description;
}

Mochi::Mochi(const SamplerArguments& arguments)
    : base_(arguments.base),
      pools_(kMochi, arguments.sample_types, arguments.options.numbers(kBudgets),
             arguments.options.numbers(kTypeScales)),
      warmup_epochs_(arguments.options.number("warmup-epochs")),
      ramp_epochs_(arguments.options.number("ramp-epochs")),
      start_rows_(arguments.options.count("n-start")) {
  const MethodOptions& options = arguments.options;
  if (options.word("adapt") != kProxy) growth_ = parse_annealing_shape(options.word("adapt"));
  plan_.mode = options.word("mode") == "fetch" ? MixRecipe::Mode::kFetch : MixRecipe::Mode::kNoFetch;
  plan_.hard = options.count("n");
  plan_.pairs = options.count("s");
  plan_.query_mixes = options.count("s-prime");
  plan_.distinct = options.on("distinct");
  plan_.attached = options.on("attached");
  plan_.max_query_share = options.number("max-query-share");
  plan_.max_label_share = options.number("max-label-share");
  plan_.seed = arguments.seed;
  plan_.clusters = options.count("clusters");
  plan_.skip_own_cluster = options.on("skip-own-cluster");
  // A shard that mixes the rows that it holds sees neither labels of the whole hard set nor the pools of other shards:
  // what needs either is refused instead of ignored.
  if (plan_.mode == MixRecipe::Mode::kNoFetch) {
    for (const char* name : {"max-label-share", "skip-own-cluster", kBudgets}) {
      if (options.changed(name)) refuse(std::string(name) + " needs mode=fetch");
    }
  }
  // Clusters cost rounds of k-means over the bank, so they are refused where nothing reads them.
  if (plan_.skip_own_cluster && plan_.clusters == 0) refuse("skip-own-cluster needs clusters");
  if (plan_.clusters > 0 && !plan_.skip_own_cluster && plan_.max_label_share == 1.0) {
    refuse("clusters does nothing without max-label-share or skip-own-cluster");
  }
  if (!options.numbers(kBudgets).empty()) {
    if (pools_.hard_rows(plan_.hard) != plan_.hard) refuse("budgets must add up to n");
    if (options.on("auto-n") || start_rows_ > 0) refuse("budgets fix n, which auto-n and n-start would change");
  }
  if (plan_.distinct && plan_.hard < 2 && plan_.pairs > 0) {
    refuse("n must be at least 2 for pairs of distinct rows");
  }
  if (options.on("auto-n")) bandit_.emplace(kFactors.size(), kExploration, arguments.seed);
}

double Mochi::strength(double epoch) const {
  // adapt=proxy: an accuracy of 0.1 or less means no mixes, 0.5 or more all of them, 0.3 half (SAMPLERS.md 6).
  if (!growth_) {
    return std::clamp((accuracy_ - kNoMixesBelow) / (kAllMixesAbove - kNoMixesBelow), 0.0, 1.0);
  }
  return annealed(*growth_, 0.0, 1.0, share_of_way(epoch - warmup_epochs_, ramp_epochs_));
}

std::int64_t Mochi::hard_rows(double epoch) const {
  // N as it is now: n times the factor that the bandit chose, and on the ramp on the way from n-start to that. n =
  // 1024, factor 2, n-start 8192, half of the ramp: 8192 + (2048 - 8192) / 2 = 5120.
  double rows = static_cast<double>(plan_.hard);
  if (bandit_) rows *= kFactors[bandit_->choice()];
  if (start_rows_ > 0) {
    const double way = share_of_way(epoch - warmup_epochs_, ramp_epochs_);
    rows = annealed(AnnealingShape::kLinear, static_cast<double>(start_rows_), rows, way);
  }
  constexpr std::int64_t kFewestForAPair = 2;
  return std::max(kFewestForAPair, static_cast<std::int64_t>(std::llround(rows)));
}

std::optional<MixRecipe> Mochi::mixes_at(double epoch) const {
  // Everything here follows from options, the epoch and numbers of the whole job, so all ranks mix in the same steps:
  // mixes are collective.
  if (epoch < warmup_epochs_) return std::nullopt;
  MixRecipe mixes = plan_;
  const double share = strength(epoch);
  mixes.pairs = std::llround(share * static_cast<double>(plan_.pairs));
  mixes.query_mixes = std::llround(share * static_cast<double>(plan_.query_mixes));
  // At the foot of the ramp the hard set need not be searched.
  if (mixes.pairs + mixes.query_mixes == 0) return std::nullopt;
  if (bandit_ || start_rows_ > 0) mixes.hard = hard_rows(epoch);
  return mixes;
}

NegativeRequest Mochi::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  request.mixes = mixes_at(batch.epoch);
  if (!request.mixes) return request;
  // Which mixes are drawn is a function of seed, step and query: they are made anew each step.
  request.mixes->step = batch.step;
  if (!pools_.empty()) request.mixes->pools = pools_.of(bank, request.mixes->hard);
  return request;
}

void Mochi::observe(const StepFeedback& feedback) {
  // First, because what follows changes the mixes of the next step.
  const std::optional<MixRecipe> mixes = mixes_at(feedback.epoch);
  last_hard_ = mixes ? mixes->hard : 0;
  last_mixes_ = mixes ? mixes->pairs + mixes->query_mixes : 0;
  // Of a step that was skipped because it was not finite.
  if (!std::isfinite(feedback.proxy_accuracy)) return;
  // A running mean that begins with the first value, not with 0, from which it would take hundreds of steps to recover.
  accuracy_ = feedback.step == 0 ? feedback.proxy_accuracy
                                 : kAccuracyMomentum * accuracy_ + (1.0 - kAccuracyMomentum) * feedback.proxy_accuracy;
  if (!bandit_ || ++steps_of_choice_ < kStepsPerChoice) return;
  // A change of accuracy from -1 to 1 as a reward from 0 to 1.
  bandit_->reward(0.5 + 0.5 * (accuracy_ - accuracy_at_choice_));
  accuracy_at_choice_ = accuracy_;
  steps_of_choice_ = 0;
}

std::map<std::string, double> Mochi::metrics() const {
  return {{"mochi_n", static_cast<double>(last_hard_)}, {"mochi_mixes", static_cast<double>(last_mixes_)}};
}

std::string Mochi::state() const {
  std::ostringstream text;
  text.precision(17);
  // What the metrics show is left out: the next step computes it from these.
  text << accuracy_ << ' ' << accuracy_at_choice_ << ' ' << steps_of_choice_;
  if (bandit_) text << ' ' << bandit_->state();
  return text.str();
}

void Mochi::restore(const std::string& state) {
  std::istringstream text(state);
  if (!read_saved_number(text, accuracy_) || !read_saved_number(text, accuracy_at_choice_) ||
      !(text >> steps_of_choice_)) {
    throw std::invalid_argument("the saved state of the sampler mochi is damaged");
  }
  // A version that took in skipped steps may have written down what no mean recovers from.
  if (!std::isfinite(accuracy_)) accuracy_ = 0.0;
  if (!std::isfinite(accuracy_at_choice_)) accuracy_at_choice_ = accuracy_;
  if (!bandit_) return;
  // The bandit reads its own part, which is all that follows.
  std::string rest;
  std::getline(text, rest);
  bandit_->restore(rest);
}

}  // namespace negatron
