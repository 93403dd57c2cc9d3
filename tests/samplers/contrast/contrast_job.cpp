#include "tests/samplers/contrast/contrast_job.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/contrast/batch_views.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/negative_samplers/registry.h"
#include "samplers/objectives/hcl.h"
#include "samplers/objectives/lifted.h"

namespace negatron::testing {
namespace {

at::Tensor own_part(const Communicator& comm, const at::Tensor& all) {
  if (!all.defined()) return all;
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size());
}

double sum_over_ranks(Communicator& comm, const at::Tensor& scalar) {
  const at::Tensor sum = scalar.detach().to(at::kDouble).clone();
  comm.all_reduce(sum, ReduceOp::kSum);
  return sum.item<double>();
}

/// Hands everything on to an objective and keeps what it saw.
class RecordingObjective : public Objective {
 public:
  RecordingObjective(std::unique_ptr<Objective> objective, Contrast& seen)
      : objective_(std::move(objective)), seen_(seen) {}

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override { return objective_->terms(anchors); }
  bool terms_need_partners() const override { return objective_->terms_need_partners(); }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override {
    seen_ = contrast;
    return objective_->loss(comm, contrast);
  }
  bool partner_is_candidate() const override { return objective_->partner_is_candidate(); }
  std::vector<at::Tensor> parameters() const override { return objective_->parameters(); }
  bool needs_first_look() const override { return objective_->needs_first_look(); }
  std::vector<ObjectiveTerm> first_terms(const Anchors& anchors) const override {
    return objective_->first_terms(anchors);
  }
  void take_first(Communicator& comm, const Contrast& contrast) override { objective_->take_first(comm, contrast); }
  const Objective& inner() const { return *objective_; }

 private:
  std::unique_ptr<Objective> objective_;
  Contrast& seen_;
};

class AdjustedSampler : public NegativeSampler {
 public:
  AdjustedSampler(std::unique_ptr<NegativeSampler> sampler, const ContrastJob& job)
      : sampler_(std::move(sampler)), job_(job) {}

  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override {
    NegativeRequest request = sampler_->request(bank, batch);
    if (job_.adjust) job_.adjust(request, batch);
    return request;
  }
  /// What adjusts a request may look at anything.
  const NegativeGenerator* generator() const override { return sampler_->generator(); }
  bool draws_by_keys() const override { return job_.adjust != nullptr || sampler_->draws_by_keys(); }

 private:
  std::unique_ptr<NegativeSampler> sampler_;
  const ContrastJob& job_;
};

std::unique_ptr<NegativeSampler> make_job_sampler(const ContrastJob& job) {
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler", describe_sampler(job.sampler).options, job.sampler_options);
  arguments.width = job.raw_queries.size(1);
  arguments.tensors = job.raw_queries.scalar_type();
  return std::make_unique<AdjustedSampler>(make_sampler(job.sampler, arguments), job);
}

std::unique_ptr<Objective> make_job_objective(const ContrastJob& job) {
  ObjectiveArguments arguments;
  arguments.temperature = job.temperature;
  arguments.options = MethodOptions("--objective", describe_objective(job.objective).options, job.objective_options);
  arguments.bank_rows = job.bank.defined() ? job.bank.size(0) : 0;
  std::unique_ptr<Objective> objective = make_objective(job.objective, arguments);
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> parameters = objective->parameters();
  for (std::size_t i = 0; i < job.parameter_shifts.size(); ++i) {
    at::Tensor parameter = parameters.at(i);
    parameter += job.parameter_shifts[i];
  }
  return objective;
}

std::unique_ptr<Bank> make_job_bank(const ContrastJob& job, const Communicator& comm) {
  if (!job.bank.defined()) return nullptr;
  const std::int64_t rows = job.bank.size(0);
  const std::int64_t capacity = job.bank_capacity > 0 ? job.bank_capacity : rows;
  const std::int64_t first = share(rows, static_cast<int>(job.bank_batches), 0).size();
  auto bank = std::make_unique<Bank>(
      BankOptions{capacity, job.bank.size(1), job.bank.scalar_type(), at::kCPU, BankFill::kEmpty, 0, first,
                  BankKind::kQueue, job.normalise ? RowLength::kUnit : RowLength::kAsMade},
      comm.rank(), comm.size());
  for (std::int64_t batch = 0; batch < job.bank_batches; ++batch) {
    const Range part = share(rows, static_cast<int>(job.bank_batches), static_cast<int>(batch));
    const auto own = [&](const at::Tensor& all) {
      return all.defined() ? own_part(comm, all.narrow(0, part.begin, part.size())) : all;
    };
    bank->enqueue(own(job.bank), own(at::full({rows}, -1, at::kLong)), own(job.bank_labels), batch, part.size());
  }
  return bank;
}

struct Leaves {
  at::Tensor raw;
  at::Tensor unit;
};

Leaves make_leaves(const ContrastJob& job, const at::Tensor& raw, bool with_gradient) {
  Leaves leaves{raw.clone().requires_grad_(with_gradient), {}};
  leaves.unit = job.normalise ? leaves.raw / leaves.raw.norm(2, {-1}, true) : leaves.raw * 1.0;
  if (with_gradient) leaves.unit.retain_grad();
  return leaves;
}

void describe_hardest(Communicator& comm, const Bank& bank, const at::Tensor& keys, const QueryShares& shares,
                      ContrastAnswer& answer) {
  const at::Tensor slots = slots_of_keys(keys);
  const FetchedRows fetched = fetch_rows(comm, bank, slots);
  const at::Tensor labels = at::cat({fetched.labels, at::full({1}, -1, at::kLong)});
  const at::Tensor index =
      at::where(fetched.index < 0, at::full_like(fetched.index, fetched.labels.size(0)), fetched.index);
  answer.hardest_labels =
      comm.all_gather(labels.index_select(0, index.flatten()).view(slots.sizes()).contiguous(), shares.sizes);
}

ContrastAnswer run_rank(Communicator& comm, const ContrastJob& job) {
  const std::unique_ptr<Bank> bank = make_job_bank(job, comm);
  const Leaves queries = make_leaves(job, own_part(comm, job.raw_queries), true);
  const Leaves keys = make_leaves(job, own_part(comm, job.raw_keys), job.train_keys);
  const Leaves mined = job.raw_mined.defined() ? make_leaves(job, own_part(comm, job.raw_mined), true) : Leaves{};
  ContrastBatch input;
  input.ids = own_part(comm, job.ids);
  input.mined_ids = own_part(comm, job.mined_ids);
  input.mined_labels = own_part(comm, job.mined_labels);
  input.labels = own_part(comm, job.labels);
  input.key_labels = own_part(comm, job.key_labels);
  input.shares.sizes = share_sizes(job.raw_queries.size(0), comm.size());
  input.progress = job.progress;
  input.report_hardest = job.report_hardest;
  input.rows_tau = job.rows_tau;
  input.rows_follow = job.rows_follow;

  Contrast seen;
  auto recording = std::make_unique<RecordingObjective>(make_job_objective(job), seen);
  const Objective& objective = recording->inner();
  const ObjectiveDescription& description = describe_objective(job.objective);
  ContrastiveLoss loss(description, job.source, std::move(recording), make_job_sampler(job));
  const auto calls = [&comm] {
    std::int64_t all = 0;
    for (const auto& [name, traffic] : comm.traffic().total()) all += traffic.calls;
    return all;
  };
  const std::int64_t calls_before = calls();
  const ContrastOutput output = loss.begin(comm, bank.get(), input, queries.unit).finish(keys.unit, mined.unit);
  output.loss.backward();

  const bool both = seen.anchors.both_views;
  const auto of_anchors = [&](const at::Tensor& values) {
    return gather_anchors(comm, values.detach().contiguous(), input.shares, both);
  };
  const auto of_queries = [&](const at::Tensor& values) {
    return comm.all_gather(values.detach().contiguous(), input.shares.sizes);
  };
  const auto gradient = [&](const at::Tensor& leaf) {
    return of_queries(leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf.detach()));
  };
  ContrastAnswer answer;
  answer.collectives = calls() - calls_before;
  answer.loss = sum_over_ranks(comm, output.loss);
  answer.per_anchor = of_anchors(output.per_anchor);
  answer.positive = of_anchors(seen.anchors.positive);
  for (const at::Tensor& term : seen.terms) answer.terms.push_back(of_anchors(term));
  answer.count = of_anchors(seen.count);
  answer.max = of_anchors(seen.max);
  if (const auto* hcl = dynamic_cast<const Hcl*>(&objective)) {
    const Hcl::Estimate estimate = hcl->estimate(seen);
    answer.log_mass = of_anchors(estimate.log_mass);
    answer.clamped = of_anchors(estimate.clamped);
  }
  if (const auto* lifted = dynamic_cast<const Lifted*>(&objective)) {
    answer.energies = of_anchors(lifted->energies(seen));
  }
  answer.raw_query_gradient = gradient(queries.raw);
  answer.unit_query_gradient = gradient(queries.unit);
  answer.raw_key_gradient = job.train_keys ? gradient(keys.raw) : at::zeros_like(answer.raw_query_gradient);
  answer.unit_key_gradient = job.train_keys ? gradient(keys.unit) : at::zeros_like(answer.raw_query_gradient);
  if (mined.raw.defined()) answer.raw_mined_gradient = gradient(mined.raw);
  for (const at::Tensor& parameter : objective.parameters()) {
    answer.parameter_gradients.push_back(
        sum_over_ranks(comm, parameter.grad().defined() ? parameter.grad() : at::zeros_like(parameter.detach())));
  }
  answer.positive_similarity = sum_over_ranks(comm, output.positive_similarity);
  answer.negative_similarity = sum_over_ranks(comm, output.negative_similarity);
  answer.correct = static_cast<std::int64_t>(sum_over_ranks(comm, output.correct));
  for (const auto& [name, sum] : output.metrics) answer.metrics[name] = sum_over_ranks(comm, sum);
  const NegativeResult& negatives = output.negatives;
  if (!negatives.scores.terms.empty() && negatives.scores.terms[0].gradient.defined()) {
    answer.first_term_gradient = of_queries(negatives.scores.terms[0].gradient);
  }
  if (output.row_gradient.values.defined()) {
    const at::Tensor of_own =
        of_all_rows(output.row_gradient, share(job.bank.size(0), comm.size(), comm.rank()).size());
    answer.row_gradient = comm.all_gather(of_own, share_sizes(job.bank.size(0), comm.size()));
  }
  if (negatives.hardest.defined()) describe_hardest(comm, *bank, negatives.hardest, input.shares, answer);
  return answer;
}

}  // namespace

ContrastAnswer run_contrast(const ContrastJob& job, int ranks) {
  ContrastAnswer answer;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const ContrastAnswer own = run_rank(comm, job);
    if (comm.rank() == 0) answer = own;
  });
  return answer;
}

}  // namespace negatron::testing
