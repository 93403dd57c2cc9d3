#include <algorithm>
#include <numeric>

#include "tests/reference_cases/cases.h"

namespace negatron::reference {

testing::ContrastJob bank_job(const ReferenceCase& reference, const std::string& objective, double tau) {
  testing::ContrastJob job;
  job.raw_queries = reference.raw_queries;
  job.raw_keys = reference.raw_keys;
  job.bank = reference.bank();
  job.objective = objective;
  job.temperature.tau = tau;
  return job;
}

testing::ContrastJob batch_job(const ReferenceCase& reference, const std::string& objective, double tau) {
  testing::ContrastJob job = bank_job(reference, objective, tau);
  job.bank = at::Tensor();
  job.source = NegativeSource::kBatch;
  job.train_keys = true;
  return job;
}

at::Tensor pair_values(const testing::ContrastJob& job, int ranks) {
  std::vector<at::Tensor> columns;
  for (std::int64_t slot = 0; slot < job.bank.size(0); ++slot) {
    testing::ContrastJob single = job;
    single.adjust = [slot](NegativeRequest& request, const QueryBatch& batch) {
      request.sets.resize(1);
      request.sets[0] = NegativeSet{};
      request.sets[0].slots = at::full({batch.queries.size(0), 1}, slot, at::kLong);
    };
    columns.push_back(run_contrast(single, ranks).terms.at(0));
  }
  return at::stack(columns, 1);
}

at::Tensor members(const testing::ContrastJob& job, int ranks) {
  return times_met(job, ranks) > 0.5;
}

at::Tensor times_met(const testing::ContrastJob& job, int ranks) {
  // Every row has a label of its own, and the number of further positives says how often the row of that label is met.
  constexpr std::size_t kFurtherPositives = 2;
  std::vector<at::Tensor> columns;
  for (std::int64_t slot = 0; slot < job.bank.size(0); ++slot) {
    testing::ContrastJob asking = job;
    asking.objective = "supcon";
    asking.objective_options = "";
    asking.bank_labels = at::arange(job.bank.size(0), at::kLong);
    asking.labels = at::full({job.raw_queries.size(0)}, slot, at::kLong);
    columns.push_back(run_contrast(asking, ranks).terms.at(kFurtherPositives));
  }
  return at::stack(columns, 1);
}

nlohmann::json ranked_members(const testing::ContrastJob& job, int ranks) {
  const at::Tensor met = members(job, ranks);
  testing::ContrastJob scoring = job;
  scoring.objective = "info-nce";
  scoring.objective_options = "";
  scoring.temperature.tau = 1.0;
  const at::Tensor scores = pair_values(scoring, ranks);  // [B, K]
  nlohmann::json lists = nlohmann::json::array();
  for (std::int64_t query = 0; query < met.size(0); ++query) {
    std::vector<std::int64_t> slots;
    for (std::int64_t slot = 0; slot < met.size(1); ++slot) {
      if (met[query][slot].item<bool>()) slots.push_back(slot);
    }
    std::stable_sort(slots.begin(), slots.end(), [&](std::int64_t a, std::int64_t b) {
      return scores[query][a].item<double>() > scores[query][b].item<double>();
    });
    lists.push_back(slots);
  }
  return lists;
}

}  // namespace negatron::reference
