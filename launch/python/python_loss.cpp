#include "launch/python/python_loss.h"

#include <torch/autograd.h>

#include <algorithm>
#include <iomanip>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "comm/require.h"
#include "launch/python/batch_record.h"
#include "launch/python/made_together.h"
#include "runtime/snapshots/files/digest.h"
#include "runtime/training/step_sums.h"

namespace negatron::python {
namespace {

std::string digest_of_numbers(const at::Tensor& numbers) {
  if (!numbers.defined()) return "none";
  const at::Tensor all = numbers.cpu().contiguous();
  return digest_of(std::string(static_cast<const char*>(all.const_data_ptr()), all.nbytes()));
}

/// What of the options ranks must have alike, as it was given: nothing of it has been looked at yet.
std::string text_of(const PretrainOptions& options, const SampleFacts& facts, std::int64_t steps_per_epoch,
                    const std::string& reduction) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<double>::max_digits10) << options.objective << " ("
       << options.objective_options << "), negatives " << (options.negatives ? name_of(*options.negatives) : "as known")
       << ", sampler " << options.sampler << " (" << options.sampler_options << "), tau " << options.tau
       << (options.learn_tau ? " learned" : "") << ", seed " << options.seed << ", own sample "
       << options.mask_own_sample << ", max age " << options.max_key_age << ", steps of an epoch " << steps_per_epoch
       << ", oracle " << options.allow_oracle << ", types " << digest_of_numbers(facts.types) << ", counts "
       << digest_of_numbers(facts.counts) << ", reduction " << reduction;
  return text.str();
}

/// Fills in what the options say of the bank.
PretrainOptions with_bank(PretrainOptions options, const ProgramBank* bank) {
  // At least what a loss of the batch alone asks for.
  options.global_batch = 2;
  if (bank == nullptr) return options;
  // What the bank was laid out for is no promise: enqueue() looks at the batches that come.
  options.global_batch = std::min(bank->bank().options().global_batch, bank->bank().capacity());
  options.bank_rows = bank->bank().capacity();
  options.head.output = bank->bank().width();
  options.bank_kind = bank->bank().kind();
  return options;
}

std::unique_ptr<ContrastiveLoss> make_loss(const PretrainOptions& options, const ContrastSetup& setup,
                                           const ProgramBank* bank, const SampleFacts& facts,
                                           std::int64_t steps_per_epoch) {
  require_data(options, setup, facts, /*has_labels=*/true);
  const bool is_double = bank != nullptr && bank->bank().options().dtype == at::kDouble;
  return make_contrastive_loss(options, setup, is_double ? at::kDouble : at::kFloat,
                               bank != nullptr ? bank->bank().options().device : at::Device(at::kCPU), steps_per_epoch,
                               facts);
}

}  // namespace

ProgramLoss::ProgramLoss(std::shared_ptr<Group> group, std::shared_ptr<ProgramBank> bank, const PretrainOptions& given,
                         const SampleFacts& facts, std::int64_t steps_per_epoch, const std::string& reduction)
    : group_(std::move(group)),
      bank_(std::move(bank)),
      device_(bank_ != nullptr ? bank_->bank().options().device : at::Device(at::kCPU)),
      tau_(given.tau) {
  const Group::Use use = group_->use();
  const PretrainOptions options = with_bank(given, bank_.get());
  // First, so that what is refused below is refused on all ranks.
  use.comm().agree("the loss", text_of(options, facts, steps_per_epoch, reduction));
  loss_ = made_together(use.comm(), [&] {
    setup_ = resolve_contrast(options);
    require(!setup_.has_bank() || bank_ != nullptr,
            "--objective " + options.objective + " with --negatives " + name_of(setup_.source) + " needs a bank.");
    return make_loss(options, setup_, bank_.get(), facts, steps_per_epoch);
  });
}

std::string ProgramLoss::problem_of_batch(const LossInput& input) const {
  const at::Tensor& queries = input.queries;
  if (bank_ != nullptr) {
    std::string problem = problem_of(bank_->bank(), "q", queries);
    if (!problem.empty()) return problem;
  }
  if (queries.dim() != 2) return "q must be [b, d]";
  if (queries.scalar_type() != at::kFloat && queries.scalar_type() != at::kDouble) {
    return "q must be float32 or float64";
  }
  if (input.keys.sizes() != queries.sizes() || input.keys.scalar_type() != queries.scalar_type() ||
      input.keys.device() != queries.device()) {
    std::ostringstream text;
    text << "k must be as q, and is " << input.keys.sizes() << " " << toString(input.keys.scalar_type()) << " on "
         << input.keys.device() << " beside " << queries.sizes() << " " << toString(queries.scalar_type()) << " on "
         << queries.device();
    return text.str();
  }
  std::string problem = problem_of_numbers("ids", input.ids, queries.size(0));
  if (problem.empty()) problem = problem_of_numbers("labels", input.labels, queries.size(0));
  if (!problem.empty()) return problem;
  if (setup_.objective.needs_labels && !input.labels.defined()) {
    return "the objective " + setup_.objective.name + " finds its positives by label: labels are needed";
  }
  for (const Need need : setup_.sampler.needs) {
    if (setup_.has_bank() && need == Need::kLabels && !input.labels.defined()) {
      return "the sampler " + setup_.sampler.name + " needs labels";
    }
  }
  return {};
}

LossOutput ProgramLoss::step(const LossInput& input) {
  const Group::Use use = group_->use();
  Communicator& comm = use.comm();
  const std::string problem = problem_of_batch(input);
  BatchRecord record;
  record.rows = problem.empty() ? input.queries.size(0) : 0;
  record.step = bank_ != nullptr ? bank_->step() : steps_;
  record.dtype = input.queries.scalar_type();
  record.has_ids = input.ids.defined();
  record.has_labels = input.labels.defined();
  record.queries_take_gradient = input.queries_take_gradient;
  record.keys_take_gradient = input.keys_take_gradient;
  record.trains = input.trains;
  record.epoch = input.epoch;
  record.progress = input.progress;
  ContrastBatch batch;
  batch.shares.sizes = agree_on_batch(comm, record, problem);
  if (batch.shares.total() == 0) throw std::invalid_argument("loss: the batch of all ranks is empty");
  if (input.ids.defined()) batch.ids = input.ids.cpu();
  if (input.labels.defined()) batch.labels = input.labels.cpu();
  batch.step = record.step;
  batch.epoch = input.epoch;
  batch.progress = input.progress;
  const Bank* bank = setup_.has_bank() ? &bank_->bank() : nullptr;
  if (bank != nullptr && !device_.is_cpu() && !chose_pass_) {
    loss_->exchange().choose_pass(comm, *bank, batch.shares.total(), 1.0 / tau_);
    chose_pass_ = true;
  }

  const at::AutoGradMode with_gradient(true);
  const at::Tensor queries = input.queries.detach().requires_grad_(input.queries_take_gradient);
  const at::Tensor keys = input.keys.detach().requires_grad_(input.keys_take_gradient);
  LossStep begun = loss_->begin(comm, bank, batch, queries);
  const ContrastOutput output = begun.finish(keys);
  LossOutput result;
  result.value = output.loss.detach();
  std::vector<at::Tensor> inputs;
  for (const at::Tensor& vectors : {queries, keys}) {
    if (vectors.requires_grad()) inputs.push_back(vectors);
  }
  for (const auto& [name, parameter] : loss_->named_parameters()) inputs.push_back(parameter);
  if (!inputs.empty()) {
    // The graph is that of the loss alone: its gradients are known, and are read off here.
    const auto gradients = torch::autograd::grad({output.loss}, inputs, {}, std::nullopt, false, true);
    auto next = gradients.begin();
    if (queries.requires_grad()) result.query_gradient = *next++;
    if (keys.requires_grad()) result.key_gradient = *next++;
    result.parameter_gradients.assign(next, gradients.end());
  }
  measure(comm, batch, output, input.trains);
  ++steps_;
  return result;
}

// Sums travel and not means: ranks may have different numbers of queries. All in one message, as step_report.cpp does.
void ProgramLoss::measure(Communicator& comm, const ContrastBatch& batch, const ContrastOutput& output, bool trains) {
  StepSums sums;
  sums.add("loss", output.loss.detach());
  sums.add("positive_similarity", output.positive_similarity);
  sums.add("negative_similarity", output.negative_similarity);
  sums.add("accuracy", output.correct);
  sums.add(output.metrics);
  at::Tensor totals = sums.stacked();
  comm.all_reduce(totals, ReduceOp::kSum);
  sums.set(totals);
  const auto queries = static_cast<double>(batch.shares.total());
  const bool keys_are_anchors = setup_.source == NegativeSource::kBatch && !setup_.objective.queries_only;
  metrics_.clear();
  metrics_["loss"] = sums["loss"];
  for (const char* name : {"positive_similarity", "negative_similarity", "accuracy"}) {
    metrics_[name] = sums[name] / queries;
  }
  for (const auto& [name, sum] : output.metrics) metrics_[name] = sums[name] / (keys_are_anchors ? 2.0 : 1.0) / queries;
  metrics_["temperature"] = loss_->objective().temperature();
  if (setup_.has_bank()) {
    const Bank& bank = bank_->bank();
    metrics_["bank_fill"] = static_cast<double>(bank.filled()) / static_cast<double>(bank.capacity());
    metrics_["bank_age"] = bank.mean_age(batch.step);
  }
  NegativeSampler* sampler = loss_->sampler();
  if (sampler == nullptr) return;
  if (trains) {
    sampler->observe({batch.step, metrics_["loss"], metrics_["accuracy"], batch.epoch});
    loss_->learn(comm, batch, output.negatives);
  }
  for (const auto& [name, value] : sampler->metrics()) metrics_[name] = value;
}

void ProgramLoss::restore(const NamedState& state) {
  loss_->restore(state, /*same_sampler=*/true, device_);
}

}  // namespace negatron::python
