// What is moved or made against the loss: AdvIR's perturbations, the networks of DAML and NEGCUT.

#include "samplers/contrast/contrastive_loss.h"

#include <ATen/core/grad_mode.h>
#include "samplers/negative_samplers/registry.h"
#include "tests/reference_cases/cases.h"
#include "tests/reference_cases/thread_ranks.h"

namespace negatron::reference {
namespace {

Computed perturbed(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job = bank_job(reference, "advir", reference.number("tau"));
  job.objective_options = "epsilon=" + text_of(reference.number("epsilon")) +
                          ",weight=" + text_of(reference.number("adversarial_weight")) +
                          ",variant=" + reference.params.at("variant").get<std::string>();
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  return nlohmann::json{{"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"grad_q_raw", list_of(answer.raw_query_gradient)}};
}

std::string generator_options(const ReferenceCase& reference) {
  const auto count = [&](const char* key) { return text_of(reference.params.at(key).get<std::int64_t>()); };
  const std::string hidden = "hidden=" + count("hidden");
  if (reference.params.at("generator") == "daml") {
    return hidden + ",regularization=" + text_of(reference.number("regularization")) +
           ",adversarial=" + text_of(reference.number("adversarial")) +
           ",margin=" + text_of(reference.number("margin"));
  }
  return hidden + ",n=" + count("made") + ",noise=" + count("noise") +
         ",diversity=" + text_of(reference.number("diversity"));
}

std::unique_ptr<NegativeSampler> generating_sampler(const ReferenceCase& reference) {
  const auto name = reference.params.at("generator").get<std::string>();
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler " + name, describe_sampler(name).options, generator_options(reference));
  arguments.width = reference.raw_queries.size(1);
  arguments.tensors = at::kDouble;
  std::unique_ptr<NegativeSampler> sampler = make_sampler(name, arguments);
  // The weight and the bias of each layer, as the case has them.
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> parameters = sampler->generator()->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const nlohmann::json& values = reference.params.at("weights").at(i);
    parameters[i].copy_(values.front().is_array() ? matrix_of(values)
                                                  : at::tensor(values.get<std::vector<double>>(), at::kDouble));
  }
  return sampler;
}

at::Tensor sum_of(Communicator& comm, const at::Tensor& part) {
  const at::Tensor sum = part.detach().clone();
  comm.all_reduce(sum, ReduceOp::kSum);
  return sum;
}

Computed generated(const ReferenceCase& reference, int ranks) {
  return on_ranks(ranks, [&](Communicator& comm) -> nlohmann::json {
    const std::int64_t count = reference.raw_queries.size(0);
    const Bank bank = bank_of(comm, reference.bank());
    ObjectiveArguments objective;
    objective.temperature.tau = reference.number("tau");
    const ObjectiveDescription& info_nce = describe_objective("info-nce");
    objective.options = MethodOptions("--objective info-nce", info_nce.options, "");
    ContrastiveLoss loss(info_nce, NegativeSource::kBank, make_objective("info-nce", objective),
                         generating_sampler(reference));
    ContrastBatch batch;
    batch.shares = {share_sizes(count, comm.size()), 0};
    const at::Tensor raw = own_part(comm, reference.raw_queries).clone().requires_grad_();
    const ContrastOutput output = loss.begin(comm, &bank, batch, raw / raw.norm(2, {1}, true))
                                      .finish(own_part(comm, unit_rows(reference.raw_keys)));
    output.loss.backward();
    nlohmann::json by_parameters = nlohmann::json::array();
    for (const at::Tensor& parameter : loss.generator()->parameters()) {
      by_parameters.push_back(list_of(sum_of(comm, parameter.grad())));
    }
    const double own = sum_of(comm, output.metrics.at("generator_loss").reshape({1})).item<double>();
    return {{"loss_per_query", list_of(gather(comm, output.per_anchor.detach(), count))},
            {"loss_mean", sum_of(comm, output.loss.reshape({1})).item<double>()},
            {"generator_loss_mean", own / static_cast<double>(count)},
            {"grad_q_raw", list_of(gather(comm, raw.grad(), count))},
            {"grad_generator", std::move(by_parameters)}};
  });
}

}  // namespace

Computed adversary_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("adversarial_weight")) return perturbed(reference, ranks);
  if (reference.has("generator")) return generated(reference, ranks);
  return {};
}

}  // namespace negatron::reference
