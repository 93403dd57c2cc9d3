#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "launch/python/python_bank.h"
#include "launch/python/python_group.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/exchange/rows/listed_rows.h"

namespace negatron::python {

/// This rank's part of a batch. b samples.
struct LossInput {
  at::Tensor queries;  // [b, d] fp32 or fp64
  at::Tensor keys;     // the same, or undefined: the rows of own samples, where they are the positives
  at::Tensor ids;      // [b] int64 or undefined
  at::Tensor labels;   // [b] int64 or undefined
  bool queries_take_gradient = false;
  bool keys_take_gradient = false;
  /// Samplers that adapt learn of this step, and rows that learn have a gradient of it.
  bool trains = true;
  /// Passes over the data so far, and share of the training that lies behind: for what is annealed.
  double epoch = 0.0;
  double progress = 0.0;
};

/// This rank's part of the loss, a scalar whose sum over ranks is the loss, and its gradients: their sums over ranks
/// are those of the loss. Without a graph.
struct LossOutput {
  at::Tensor value;
  at::Tensor query_gradient;  // undefined where it was not asked for
  at::Tensor key_gradient;
  std::vector<at::Tensor> parameter_gradients;
  /// Of rows that learn: by this rank's rows, of all ranks' queries, of the loss that they follow or raise. Values are
  /// undefined for others.
  GradientOfRows row_gradient;
};

/// A ContrastiveLoss over a group and, where negatives come from it, a bank, as a Python program holds it.
class ProgramLoss {
 public:
  /// `bank` may be null where the negatives are those of the batch. Of `options` counts what describes objective and
  /// sampler; `reduction` is the program's, which ranks must have alike. Collective. Throws std::invalid_argument and
  /// DisagreementError.
  ProgramLoss(std::shared_ptr<Group> group, std::shared_ptr<ProgramBank> bank, const PretrainOptions& options,
              const SampleFacts& facts, std::int64_t steps_per_epoch, const std::string& reduction);

  /// Collective; nothing is left to do for backward that communicates. Throws std::invalid_argument and
  /// DisagreementError on all ranks before any vector travels.
  LossOutput step(const LossInput& input);
  /// Of the last step, over all ranks. Local; from any thread.
  std::map<std::string, double> metrics() const;

  /// What is trained with the encoder, the live tensors. Local.
  std::vector<std::pair<std::string, at::Tensor>> parameters() const { return loss_->named_parameters(); }
  /// What a later step depends on beside parameters(), and back (ContrastiveLoss::state). Local.
  NamedState state() const { return loss_->state(); }
  void restore(const NamedState& state);

 private:
  std::string problem_of_batch(const LossInput& input) const;
  std::string problem_of_keys(const LossInput& input) const;
  /// What is known of the step before its vectors travel. Collective. Throws as step().
  ContrastBatch agreed_batch(Communicator& comm, const LossInput& input);
  /// Of rows that learn: all of their gradient, what arrived in those that were positives with it. Collective.
  GradientOfRows gradient_of_rows(const ContrastOutput& output, const ListedRows* positives,
                                  const at::Tensor& key_gradient) const;
  /// Whether rows have a gradient of this step.
  bool rows_learn_of(const LossInput& input) const { return input.trains && setup_.has_rows_that_learn(); }
  void measure(Communicator& comm, const ContrastBatch& batch, const ContrastOutput& output, bool trains);

  std::shared_ptr<Group> group_;
  std::shared_ptr<ProgramBank> bank_;
  ContrastSetup setup_;
  at::Device device_;
  bool chose_pass_ = false;
  double tau_;
  double rows_tau_;
  std::unique_ptr<ContrastiveLoss> loss_;
  /// Of a loss without a bank.
  std::int64_t steps_ = 0;
  mutable std::mutex metrics_mutex_;
  std::map<std::string, double> metrics_;
};

}  // namespace negatron::python
