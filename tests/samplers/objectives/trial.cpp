#include "tests/samplers/objectives/trial.h"

#include <ATen/Parallel.h>

#include "comm/share.h"
#include "comm/thread_communicator.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/policies/whole_bank.h"

namespace negatron::testing {
namespace {

at::Tensor normalised(const at::Tensor& raw) {
  return raw / raw.norm(2, {1}, true);
}

at::Tensor own_part(Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size());
}

double sum_over_ranks(Communicator& comm, const at::Tensor& scalar) {
  const at::Tensor sum = scalar.detach().to(at::kDouble).clone();
  comm.all_reduce(sum, ReduceOp::kSum);
  return sum.item<double>();
}

TrialResult run_step(Communicator& comm, Objective& objective, const Bank& bank, const TrialStep& step,
                     std::int64_t number) {
  const std::int64_t global_batch = step.raw_queries.size(0);
  const std::vector<std::int64_t> shares = share_sizes(global_batch, comm.size());
  at::Tensor raw_queries = own_part(comm, step.raw_queries).clone().requires_grad_();
  at::Tensor raw_keys = own_part(comm, step.raw_keys).clone().requires_grad_(objective.needs_key_gradient());
  at::Tensor queries = normalised(raw_queries);
  at::Tensor keys = normalised(raw_keys);
  queries.retain_grad();
  if (objective.needs_key_gradient()) keys.retain_grad();

  TrialResult result;
  ObjectiveInput input{queries, keys, {}, global_batch};
  if (objective.needs_bank()) {
    const QueryBatch batch{queries, keys, own_part(comm, step.ids), global_batch, number, objective.scales()};
    input.negatives = score_bank(comm, bank, WholeBank().draw(bank, batch), global_batch);
    result.log_sum_exp = comm.all_gather(input.negatives.log_sum_exp[0].contiguous(), shares);
    result.mean = comm.all_gather(input.negatives.mean[0].contiguous(), shares);
  }
  const ObjectiveOutput output = objective.compute(comm, input);
  output.loss.backward();

  result.loss = sum_over_ranks(comm, output.loss);
  result.positive_similarity = sum_over_ranks(comm, output.positive_similarity);
  result.negative_similarity = sum_over_ranks(comm, output.negative_similarity);
  result.correct = static_cast<std::int64_t>(sum_over_ranks(comm, output.correct));
  const auto gather_gradient = [&](const at::Tensor& tensor) {
    const at::Tensor gradient = tensor.grad().defined() ? tensor.grad() : at::zeros_like(tensor.detach());
    return comm.all_gather(gradient.contiguous(), shares);
  };
  result.raw_query_gradient = gather_gradient(raw_queries);
  result.unit_query_gradient = gather_gradient(queries);
  result.raw_key_gradient = gather_gradient(raw_keys);
  result.unit_key_gradient = objective.needs_key_gradient() ? gather_gradient(keys) : result.raw_key_gradient;
  for (at::Tensor& parameter : objective.parameters()) {
    result.log_scale_gradient = sum_over_ranks(comm, parameter.grad());
  }
  return result;
}

}  // namespace

std::vector<TrialResult> run_trial(const Trial& trial, int ranks) {
  std::vector<TrialResult> results;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const std::int64_t rows = trial.bank.size(0);
    Bank bank({rows, trial.bank.size(1), trial.bank.scalar_type(), at::kCPU, BankFill::kEmpty, 0, rows}, comm.rank(),
              comm.size());
    const at::Tensor none = at::full({rows}, -1, at::kLong);
    bank.enqueue(own_part(comm, trial.bank), own_part(comm, none), at::Tensor(), 0, rows);
    const std::unique_ptr<Objective> objective = make_objective(trial.objective);
    std::int64_t number = 0;
    for (const TrialStep& step : trial.steps) {
      const TrialResult result = run_step(comm, *objective, bank, step, number);
      for (at::Tensor& parameter : objective->parameters()) parameter.mutable_grad() = at::Tensor();
      const at::Tensor keys = normalised(own_part(comm, step.raw_keys));
      bank.enqueue(keys, own_part(comm, step.ids), at::Tensor(), number++, step.ids.size(0));
      if (comm.rank() == 0) results.push_back(result);
    }
  });
  return results;
}

}  // namespace negatron::testing
