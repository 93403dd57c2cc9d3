#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/objectives/registry.h"

namespace negatron::testing {

/// One step of a job, given for the whole job.
struct ContrastJob {
  at::Tensor raw_queries;   // [Bg, d]
  at::Tensor raw_keys;      // [Bg, d]
  at::Tensor raw_mined;     // [Bg, L, d] or undefined
  at::Tensor ids;           // [Bg] or undefined
  at::Tensor mined_ids;     // [Bg, L] or undefined
  at::Tensor mined_labels;  // [Bg, L] or undefined
  bool normalise = true;
  at::Tensor labels;      // [Bg] or undefined
  at::Tensor key_labels;  // [Bg] or undefined

  at::Tensor bank;         // [K', d] rows as they are stored
  at::Tensor bank_labels;  // [K'] or undefined
  /// K; 0 for K'. The rows are enqueued in so many batches, the first the largest.
  std::int64_t bank_capacity = 0;
  std::int64_t bank_batches = 1;

  std::string objective;
  std::string objective_options;
  TemperatureOptions temperature{1.0, false, at::kDouble, at::kCPU};
  /// Added to each of the objective's parameters.
  std::vector<double> parameter_shifts;
  NegativeSource source = NegativeSource::kBank;
  bool train_keys = false;
  std::string sampler = "whole-bank";
  std::string sampler_options;
  /// Changes what the sampler asks for.
  std::function<void(NegativeRequest&, const QueryBatch&)> adjust;
  std::int64_t report_hardest = 0;
  double progress = 0.0;
  /// Rows learn at this temperature; 0 where they do not.
  double rows_tau = 0.0;
  /// Rows are trained with the encoder.
  bool rows_follow = false;
};

/// What the whole job computed, put together from all ranks. A anchors: queries, then keys where both views are.
struct ContrastAnswer {
  double loss = 0.0;
  at::Tensor per_anchor;           // [A]
  at::Tensor positive;             // [A]
  std::vector<at::Tensor> terms;   // [A]
  at::Tensor count;                // [A]
  at::Tensor max;                  // [A]
  at::Tensor log_mass;             // [A] of hcl and debiased
  at::Tensor clamped;              // [A]
  at::Tensor energies;             // [A] of lifted
  at::Tensor raw_query_gradient;   // [Bg, d]
  at::Tensor unit_query_gradient;  // [Bg, d]
  at::Tensor raw_key_gradient;     // [Bg, d], 0 when keys take none
  at::Tensor unit_key_gradient;    // [Bg, d]
  at::Tensor raw_mined_gradient;   // [Bg, L, d], undefined where nothing was mined
  std::vector<double> parameter_gradients;
  double positive_similarity = 0.0;
  double negative_similarity = 0.0;
  std::int64_t correct = 0;
  std::map<std::string, double> metrics;
  std::int64_t collectives = 0;    // of rank 0, for the loss and its gradient
  at::Tensor first_term_gradient;  // [Bg, d] of the bank
  at::Tensor hardest_labels;       // [Bg, N]
  at::Tensor row_gradient;         // [K', d] of a bank in one batch; undefined unless rows learn
};

/// Runs the job on thread ranks, everything split by share(), with the code that training runs.
ContrastAnswer run_contrast(const ContrastJob& job, int ranks);

}  // namespace negatron::testing
