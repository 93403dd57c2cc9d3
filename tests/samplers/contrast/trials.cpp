#include "tests/samplers/contrast/trials.h"

#include <cmath>
#include <map>

#include "samplers/bank/random_rows.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kQueries = 5;
constexpr std::int64_t kWidth = 4;
constexpr std::int64_t kBankRows = 11;

/// Vectors of various lengths.
at::Tensor raw_vectors(std::uint64_t seed, std::int64_t count) {
  return random_unit_rows(seed, 0, count, kWidth) * (0.5 + at::arange(count, at::kDouble).remainder(3)).unsqueeze(1);
}

const std::map<std::string, std::vector<std::string>>& variants() {
  static const std::map<std::string, std::vector<std::string>> all = {
      {"dclw", {"sigma=0.4,weights=attached"}},
      {"debiased", {"tau-plus=0.02", "tau-plus=0.6"}},
      {"hcl", {"tau-plus=0.05,beta=1", "tau-plus=0.05,beta=0,weights=attached", "tau-plus=0.3,beta=2"}},
      {"nce", {"log-z=learned,log-z-value=1,noise-count=7,items=30"}},
      {"siglip", {"t=4,bias=-1"}},
      {"contrastive", {"margin=1.3,reduction=all", "margin=1.3"}},
      {"triplet", {"margin=0.7,reduction=all", "margin=0.7", "margin=0.4,distance=l2"}},
      {"margin-ranking", {"margin=0.4", "margin=0.4,reduction=all", "margin=0.4,rank-weight=harmonic"}},
      {"n-pair", {"l2=0.1"}},
      {"advir", {"epsilon=0.02,variant=virtual"}},
      {"lifted", {"negatives=max,alpha=1.5"}},
  };
  return all;
}

}  // namespace

bool holds_something_fixed(const ContrastJob& job) {
  return (job.objective == "dclw" && job.objective_options.find("attached") == std::string::npos) ||
         job.objective_options.find("detached") != std::string::npos ||
         job.objective_options.find("virtual") != std::string::npos;
}

std::vector<Trial> raw_trials(at::ScalarType type) {
  std::vector<Trial> trials;
  for (Trial& trial : all_trials(type)) {
    ContrastJob& job = trial.job;
    if (describe_objective(job.objective).why_unit_rows != nullptr) continue;
    const auto spread = [&](const at::Tensor& rows) {
      const at::Tensor unit = rows.to(at::kDouble) / rows.to(at::kDouble).norm(2, {1}, true);
      const at::Tensor lengths = at::logspace(-1.0, std::log10(5.0), rows.size(0), 10.0, at::kDouble);
      // The longest first, so that no rank has all of them.
      return (unit * lengths.flip(0).unsqueeze(1)).to(type);
    };
    job.normalise = false;
    job.raw_queries = spread(job.raw_queries);
    job.raw_keys = spread(job.raw_keys);
    if (job.bank.defined()) job.bank = spread(job.bank);
    // Scores of 25 times 1 / tau are as large as those of tau = 0.04 are among unit rows.
    job.temperature.tau = 1.0;
    trial.name = "raw " + trial.name;
    trials.push_back(std::move(trial));
  }
  return trials;
}

std::vector<Trial> all_trials(at::ScalarType type) {
  std::vector<Trial> trials;
  for (const ObjectiveDescription& description : objective_descriptions()) {
    std::vector<std::string> options = {""};
    const auto found = variants().find(description.name);
    if (found != variants().end()) options.insert(options.end(), found->second.begin(), found->second.end());
    for (const NegativeSource source : description.sources) {
      for (const std::string& option : options) {
        ContrastJob job;
        job.raw_queries = raw_vectors(4, kQueries).to(type);
        // Keys near their queries, as training brings them.
        job.raw_keys = (raw_vectors(4, kQueries) + 0.8 * raw_vectors(5, kQueries)).to(type);
        job.labels = at::tensor({0, 1, 0, 2, 1}, at::kLong);
        job.objective = description.name;
        job.objective_options = option;
        job.temperature = {0.4, description.uses_temperature, type, at::kCPU};
        job.source = source;
        job.train_keys = true;
        if (source == NegativeSource::kBank || source == NegativeSource::kBankAndBatch) {
          job.bank = random_unit_rows(3, 0, kBankRows, kWidth).to(type);
          job.bank_labels = at::arange(kBankRows, at::kLong).remainder(3);
          // Not written to the end, and its second batch of keys is smaller than what it is laid out for: holes.
          job.bank_capacity = kBankRows + 2;
          job.bank_batches = 2;
        }
        trials.push_back({description.name + " over " + name_of(source) + " with '" + option + "'", job});
      }
    }
  }
  return trials;
}

}  // namespace negatron::testing
