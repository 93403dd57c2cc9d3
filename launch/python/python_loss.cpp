#include "launch/python/python_loss.h"

#include <ATen/SavedTensorHooks.h>
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

namespace negatron::python {
namespace {

std::string digest_of_numbers(const at::Tensor& numbers) {
  if (!numbers.defined()) return "none";
  const at::Tensor all = numbers.cpu().contiguous();
  return digest_of(std::string(static_cast<const char*>(all.const_data_ptr()), all.nbytes()));
}

/// For as long as it lives, no hook of saved tensors sees what the graph of the loss itself saves, which is used up at
/// once. A checkpoint would take it for something to compute again.
class WithoutHooks {
 public:
  WithoutHooks() : before_(at::SavedTensorDefaultHooks::set_tracing(true)) {}
  WithoutHooks(const WithoutHooks&) = delete;
  WithoutHooks& operator=(const WithoutHooks&) = delete;
  ~WithoutHooks() { at::SavedTensorDefaultHooks::set_tracing(before_); }

 private:
  bool before_;
};

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
       << digest_of_numbers(facts.counts) << ", reduction " << reduction << ", rows tau " << options.rows_tau;
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
  options.bank_kind = bank->bank().kind();
  options.head.length = bank->bank().options().length;
  options.head.output = vector_width(options.head.length, bank->bank().width());
  options.rows.kind = bank->bank().options().row_optimizer;
  if (bank->bank().options().dtype == at::kDouble) options.precision = Precision::kFp64;
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
      tau_(given.tau),
      rows_tau_(given.rows_tau) {
  const Group::Use use = group_->use();
  const PretrainOptions options = with_bank(given, bank_.get());
  // First, so that what is refused below is refused on all ranks.
  use.comm().agree("the loss", text_of(options, facts, steps_per_epoch, reduction));
  loss_ = made_together(use.comm(), [&] {
    setup_ = resolve_contrast(options);
    require(!setup_.has_bank() || bank_ != nullptr,
            "--objective " + options.objective + " with --negatives " + name_of(setup_.source) + " needs a bank.");
    require(!setup_.mining(), "--sampler " + options.sampler +
                                  " mines samples that must be encoded in every step, which a loop of one's own does "
                                  "not; negatron pretrain does.");
    require(options.rows_tau > 0.0, "rows_tau must be a number above 0.");
    return make_loss(options, setup_, bank_.get(), facts, steps_per_epoch);
  });
}

std::string ProgramLoss::problem_of_keys(const LossInput& input) const {
  const at::Tensor& queries = input.queries;
  if (!input.keys.defined()) {
    if (setup_.has_rows_as_positives()) return {};
    return "k is needed: the positives of this loss are not rows of its bank";
  }
  if (setup_.has_parametric()) {
    return "the positives of a parametric bank are the rows of the samples themselves, which learn by it; leave k out";
  }
  if (input.keys.sizes() != queries.sizes() || input.keys.scalar_type() != queries.scalar_type() ||
      input.keys.device() != queries.device()) {
    std::ostringstream text;
    text << "k must be as q, and is " << input.keys.sizes() << " " << toString(input.keys.scalar_type()) << " on "
         << input.keys.device() << " beside " << queries.sizes() << " " << toString(queries.scalar_type()) << " on "
         << queries.device();
    return text.str();
  }
  return {};
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
  std::string problem = problem_of_keys(input);
  if (problem.empty()) problem = problem_of_numbers("ids", input.ids, queries.size(0));
  if (problem.empty()) problem = problem_of_numbers("labels", input.labels, queries.size(0));
  if (problem.empty() && setup_.has_rows_of_samples()) problem = bank_->problem_of_ids(input.ids);
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

ContrastBatch ProgramLoss::agreed_batch(Communicator& comm, const LossInput& input) {
  const std::string problem = problem_of_batch(input);
  BatchRecord record;
  record.rows = problem.empty() ? input.queries.size(0) : 0;
  record.step = bank_ != nullptr ? bank_->step() : steps_;
  record.dtype = input.queries.scalar_type();
  record.has_ids = input.ids.defined();
  record.has_labels = input.labels.defined();
  record.queries_take_gradient = input.queries_take_gradient;
  record.keys_take_gradient = input.keys_take_gradient;
  record.has_keys = input.keys.defined();
  record.trains = input.trains;
  record.epoch = input.epoch;
  record.progress = input.progress;
  ContrastBatch batch;
  batch.shares.sizes = agree_on_batch(comm, record, problem);
  if (batch.shares.total() == 0) throw std::invalid_argument("loss: the batch of all ranks is empty");
  if (input.ids.defined()) batch.ids = input.ids.cpu();
  if (input.labels.defined()) batch.labels = input.labels.cpu();
  if (!input.keys.defined()) {
    // Rows are the positives, and which ones every rank knows.
    batch.bank_ids = comm.size() == 1 ? batch.ids : comm.all_gather(input.ids.to(device_), batch.shares.sizes).cpu();
  }
  batch.step = record.step;
  batch.epoch = input.epoch;
  batch.progress = input.progress;
  if (!rows_learn_of(input)) return batch;
  const RowOptimizerKind optimizer = bank_->bank().options().row_optimizer;
  if (setup_.has_learned()) batch.rows_tau = rows_tau_;
  batch.rows_follow = setup_.has_parametric();
  // By momentum or decay, rows that no query met may move as well.
  batch.only_met_rows = optimizer != RowOptimizerKind::kSgd;
  return batch;
}

LossOutput ProgramLoss::step(const LossInput& input) {
  const Group::Use use = group_->use();
  Communicator& comm = use.comm();
  const ContrastBatch batch = agreed_batch(comm, input);
  const Bank* bank = setup_.has_bank() ? &bank_->bank() : nullptr;
  if (bank != nullptr && !device_.is_cpu() && !chose_pass_) {
    const double sharpest = setup_.has_learned() ? std::min(tau_, rows_tau_) : tau_;
    loss_->exchange().choose_pass(comm, *bank, batch.shares.total(), 1.0 / sharpest);
    chose_pass_ = true;
  }

  const at::AutoGradMode with_gradient(true);
  const WithoutHooks without_hooks;
  const at::Tensor queries = input.queries.detach().requires_grad_(input.queries_take_gradient);
  const bool follows = rows_learn_of(input) && setup_.has_parametric();
  // The slot of a sample is its id.
  std::optional<ListedRows> positives;
  if (!input.keys.defined()) {
    positives.emplace(comm, *bank, batch.bank_ids.unsqueeze(1), batch.shares.sizes, queries.scalar_type());
  }
  const at::Tensor given = positives ? positives->vectors().squeeze(1) : input.keys;
  const at::Tensor keys = given.detach().requires_grad_(positives ? follows : input.keys_take_gradient);
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
  if (rows_learn_of(input)) {
    result.row_gradient = gradient_of_rows(output, follows ? &*positives : nullptr, result.key_gradient);
  }
  if (positives) result.key_gradient = at::Tensor();
  measure(comm, batch, output, input.trains);
  ++steps_;
  if (setup_.has_index() && input.trains) bank_->count_step();
  return result;
}

GradientOfRows ProgramLoss::gradient_of_rows(const ContrastOutput& output, const ListedRows* positives,
                                             const at::Tensor& key_gradient) const {
  GradientOfRows gradient = output.row_gradient;
  if (positives != nullptr) {
    if (key_gradient.defined()) torch::autograd::backward({positives->vectors().squeeze(1)}, {key_gradient});
    gradient = sum_of(std::move(gradient), positives->gradient());
  }
  if (gradient.values.defined()) return gradient;
  // No query met any: a gradient all the same, of no row.
  return {at::empty({0}, at::TensorOptions(device_).dtype(at::kLong)),
          at::empty({0, bank_->bank().width()}, output.loss.options())};
}

void ProgramLoss::restore(const NamedState& state) {
  loss_->restore(state, /*same_sampler=*/true, device_);
}

}  // namespace negatron::python
