#include "tests/samplers/contrast/sampler_trial.h"

#include <cmath>
#include <functional>
#include <limits>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/bank/row_geometry.h"
#include "samplers/contrast/bank_mesh.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/exchange/rows/listed_rows.h"
#include "samplers/exchange/rows/sample_rows.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kBatch = 10;
constexpr std::int64_t kWidth = 8;
constexpr std::int64_t kSteps = 4;
/// No multiple of the batch nor of any number of ranks, and not full before the third step.
constexpr std::int64_t kRows = 47;
constexpr std::int64_t kFillSteps = 3;
constexpr double kMemoryMomentum = 0.5;
constexpr double kRowsTau = 0.1;
/// So fast that rows of a step are others than those of the step before, and not so fast that they gather at the
/// queries: in fp32 rows of one and of several ranks differ in their last bits, and rows that nearly tie would change
/// places.
constexpr RowOptimizer kRowSgd{0.5, 0.9, 1e-3};
/// Of weights, which follow the loss.
constexpr RowOptimizer kRowDescent{0.5, 0.9, 1e-3, RowOptimizerKind::kSgd, /*raises=*/false};
constexpr std::int64_t kSamples = 24;
constexpr std::int64_t kClasses = 3;
/// Some samples have none.
constexpr std::int64_t kTypes = 3;
constexpr std::uint64_t kSeed = 5;

/// Unit rows in clusters by class; samples that are equal modulo 8 have nearly equal rows, every other time exactly so.
at::Tensor unit_rows_of(const at::Tensor& ids, std::int64_t view) {
  const at::Tensor classes = random_unit_rows(kSeed, 1000, kClasses, kWidth).to(at::kDouble);
  const at::Tensor twins = random_unit_rows(kSeed, 2000, 8, kWidth).to(at::kDouble);
  const at::Tensor noise = random_unit_rows(kSeed, 3000 + 100 * view, kSamples, kWidth).to(at::kDouble);
  const at::Tensor rows = classes.index_select(0, ids.remainder(kClasses)) + twins.index_select(0, ids.remainder(8)) +
                          (ids.remainder(2) * 0.3).unsqueeze(1) * noise.index_select(0, ids);
  return rows / rows.norm(2, {1}, true);
}

/// What an encoder would make: of the trial's length and type, of kWidth numbers.
at::Tensor vectors_of(const SamplerTrial& trial, const at::Tensor& ids, std::int64_t view) {
  const at::Tensor rows = unit_rows_of(ids, view);
  if (trial.length == RowLength::kUnit) return rows.to(trial.dtype);
  const at::Tensor lengths = at::logspace(std::log10(0.1), std::log10(5.0), 8, 10.0, at::kDouble);
  return (rows * lengths.index_select(0, ids.remainder(8)).unsqueeze(1)).to(trial.dtype);
}

/// What a bank stores of it.
at::Tensor rows_of(const SamplerTrial& trial, const at::Tensor& ids, std::int64_t view) {
  return rows_of_vectors(vectors_of(trial, ids, view), trial.length);
}

at::Tensor ids_of_step(std::int64_t step) {
  return (at::arange(kBatch, at::kLong) + 7 * step).remainder(kSamples);
}

at::Tensor own_part(const Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size());
}

/// Collectives that this rank has started in a group.
std::int64_t calls_of(const Communicator& group) {
  std::int64_t calls = 0;
  for (const auto& [name, traffic] : group.traffic().total()) calls += traffic.calls;
  return calls;
}

/// What begins a step of the loss for given queries.
using Begin = std::function<LossStep()>;

/// What an encoder would make of samples mined for `ids`, [b, mined, d] with gradient; undefined for none.
at::Tensor mined_for(const SamplerTrial& trial, const at::Tensor& ids, std::int64_t view) {
  std::vector<at::Tensor> of_place;
  for (std::int64_t place = 0; place < trial.mined; ++place) {
    of_place.push_back(rows_of(trial, (ids + 3 + 5 * place).remainder(kSamples), view));
  }
  return trial.mined == 0 ? at::Tensor() : at::stack(of_place, 1).requires_grad_();
}

/// The step begins twice before either is finished, as those of a symmetric loss do. Early is one whose queries leave
/// for the shards of `group` when it begins.
ContrastOutput compute_twice(const Communicator& group, const Begin& begin, const at::Tensor& keys,
                             const at::Tensor& mined, bool& early) {
  const std::int64_t before = calls_of(group);
  LossStep first = begin();
  early = calls_of(group) > before;
  LossStep second = begin();
  const ContrastOutput output = first.finish(keys, mined);
  EXPECT_TRUE(at::equal(output.loss, second.finish(keys, mined).loss));
  return output;
}

}  // namespace

std::unique_ptr<NegativeSampler> make_test_sampler(const std::string& name, const std::string& options,
                                                   at::ScalarType dtype) {
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler " + name, describe_sampler(name).options, options);
  arguments.seed = kSeed;
  arguments.width = kWidth;
  arguments.bank_rows = kSamples;
  arguments.tensors = dtype;
  arguments.sample_types = at::arange(kSamples, at::kLong).remainder(kTypes + 1) - 1;
  // Some were never counted.
  arguments.sample_counts = at::arange(kSamples, at::kLong).remainder(5) * 7;
  return make_sampler(name, arguments);
}

SamplerTrial trial_of(const std::string& name, const std::string& options, at::ScalarType dtype) {
  SamplerTrial trial;
  trial.make_sampler = [name, options, dtype] { return make_test_sampler(name, options, dtype); };
  trial.dtype = dtype;
  const SamplerDescription& sampler = describe_sampler(name);
  if (sampler.mines != nullptr) trial.mined = sampler.mines(MethodOptions("--sampler", sampler.options, options)).met;
  return trial;
}

SamplerOutcome run_sampler_trial(const SamplerTrial& trial, int ranks, int shards) {
  SamplerOutcome outcome;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    BankMesh mesh(comm, shards);
    const bool is_memory = trial.bank_kind == BankKind::kMemory;
    const bool is_learned = trial.bank_kind == BankKind::kLearned;
    const bool is_index = trial.bank_kind == BankKind::kIndex;
    const bool is_parametric = trial.bank_kind == BankKind::kParametric;
    BankOptions shape{rows_have_samples(trial.bank_kind) ? kSamples : kRows,
                      row_width(trial.length, kWidth),
                      trial.dtype,
                      at::kCPU,
                      BankFill::kEmpty,
                      kSeed,
                      kBatch,
                      trial.bank_kind,
                      trial.length};
    Bank bank(shape, mesh.group().rank(), mesh.group().size());
    const ObjectiveDescription& description = describe_objective(trial.objective);
    ObjectiveArguments arguments;
    arguments.temperature.dtype = trial.dtype;
    if (trial.length != RowLength::kUnit) arguments.temperature.tau = 1.0;
    arguments.options = MethodOptions("--objective", description.options, trial.objective_options);
    arguments.bank_rows = shape.rows;
    ContrastiveLoss loss(description, NegativeSource::kBank, make_objective(trial.objective, arguments),
                         trial.make_sampler());
    loss.exchange().set_side_threads(trial.side_threads.value_or(0));
    std::vector<at::Tensor> gradients;
    std::vector<at::Tensor> counts;
    std::vector<at::Tensor> hardest;
    const std::vector<std::int64_t> shares = share_sizes(kBatch, comm.size());
    for (std::int64_t step = 0; step < kFillSteps + kSteps; ++step) {
      const at::Tensor all_ids = ids_of_step(step);
      const at::Tensor ids = own_part(comm, all_ids).contiguous();
      const at::Tensor labels = ids.remainder(kClasses);
      // Made anew before every other step.
      if (is_index && step % 2 == 0) {
        const Range own = share(kSamples, mesh.group().size(), mesh.group().rank());
        const at::Tensor samples = at::arange(own.begin, own.end, at::kLong);
        bank.replace(samples - own.begin, rows_of(trial, samples, 2 * step), samples.remainder(kClasses), step);
      }
      std::optional<SampleRows> own_rows;
      if (is_memory) own_rows.emplace(comm, mesh.group(), bank, all_ids);
      std::optional<ListedRows> weights;
      if (is_parametric) weights.emplace(comm, bank, all_ids.unsqueeze(1), shares, trial.dtype);
      const at::Tensor keys = is_memory       ? own_rows->fetch()
                              : is_parametric ? weights->vectors().squeeze(1)
                                              : rows_of(trial, ids, 2 * step + 1);
      if (step >= kFillSteps) {
        const at::Tensor queries = vectors_of(trial, ids, 2 * step).requires_grad_();
        const at::Tensor scored = queries_of_vectors(queries, trial.length);
        ContrastBatch input;
        input.ids = ids;
        input.labels = labels;
        input.shares = mesh.whole_shares(kBatch);
        input.bank_group = &mesh.group();
        input.bank_shares = mesh.group_shares(kBatch);
        input.step = step;
        input.epoch = static_cast<double>(step);
        input.report_hardest = 4;
        const at::Tensor mined = mined_for(trial, ids, 2 * step + 1);
        if (is_learned) input.rows_tau = trial.length == RowLength::kUnit ? kRowsTau : 1.0;
        input.rows_follow = is_parametric;
        const Begin begin = [&] { return loss.begin(comm, &bank, input, scored); };
        bool early = false;
        const ContrastOutput output =
            trial.side_threads ? compute_twice(mesh.group(), begin, keys, mined, early) : begin().finish(keys, mined);
        if (comm.rank() == 0 && early) ++outcome.begun;
        output.loss.backward();
        const at::Tensor value = output.loss.detach().to(at::kDouble).reshape({1}).clone();
        comm.all_reduce(value, ReduceOp::kSum);
        const at::Tensor gradient = queries.grad().defined() ? queries.grad() : at::zeros_like(queries);
        gradients.push_back(comm.all_gather(gradient.contiguous(), shares));
        if (mined.defined()) {
          const at::Tensor of_mined = mined.grad().flatten(1).contiguous();
          gradients.push_back(comm.all_gather(of_mined, shares).view({-1, kWidth}));
        }
        counts.push_back(comm.all_gather(output.negatives.scores.count.contiguous(), shares));
        // Of keys the slots: in fp32 learned rows, and so scores, differ in their last bits.
        hardest.push_back(comm.all_gather(slots_of_keys(output.negatives.hardest).contiguous(), shares));
        if (comm.rank() == 0) outcome.losses.push_back(value.item<double>());
        if (is_learned) bank.train(output.row_gradient, kRowSgd, step);
        if (is_parametric) bank.train(sum_of(output.row_gradient, weights->gradient()), kRowDescent, step);
        loss.learn(comm, input, output.negatives);
        loss.sampler()->observe({step, value.item<double>(), 0.5, input.epoch});
      }
      if (is_memory) {
        own_rows->blend(vectors_of(trial, ids, 2 * step), labels, kMemoryMomentum, step);
      } else if (trial.bank_kind == BankKind::kQueue) {
        mesh.enqueue(bank, keys, ids, labels, step, kBatch);
      }
    }
    if (comm.rank() == 0) {
      outcome.gradients = at::cat(gradients);
      outcome.counts = at::cat(counts);
      outcome.hardest = at::cat(hardest);
    }
  });
  return outcome;
}

double difference(const SamplerOutcome& left, const SamplerOutcome& right) {
  if (!at::equal(left.counts, right.counts) || !at::equal(left.hardest, right.hardest)) {
    return std::numeric_limits<double>::infinity();
  }
  double largest = 0.0;
  for (std::size_t step = 0; step < left.losses.size(); ++step) {
    const double size = std::max(1.0, std::abs(left.losses[step]));
    largest = std::max(largest, std::abs(left.losses[step] - right.losses[step]) / size);
  }
  const at::Tensor gap = (left.gradients - right.gradients).abs().max();
  const double size = std::max(1e-3, left.gradients.abs().max().item<double>());
  return std::max(largest, gap.item<double>() / size);
}

}  // namespace negatron::testing
