#pragma once

#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/objectives/registry.h"

namespace negatron::testing {

/// One step of a job, given for the whole job. Raw vectors: the trial normalises them, with gradient.
struct TrialStep {
  at::Tensor raw_queries;  // [Bg, d]
  at::Tensor raw_keys;     // [Bg, d]
  at::Tensor ids;          // [Bg]
};

struct Trial {
  ObjectiveOptions objective;
  /// [K, d] unit rows that the bank starts with; its dtype is that of the whole trial.
  at::Tensor bank;
  std::vector<TrialStep> steps;
};

/// What the whole job computed in one step, put together from all ranks.
struct TrialResult {
  double loss = 0.0;
  double positive_similarity = 0.0;
  double negative_similarity = 0.0;
  std::int64_t correct = 0;
  at::Tensor raw_query_gradient;   // [Bg, d]
  at::Tensor unit_query_gradient;  // [Bg, d]
  at::Tensor raw_key_gradient;     // [Bg, d], 0 when keys take none
  at::Tensor unit_key_gradient;    // [Bg, d]
  double log_scale_gradient = 0.0;
  at::Tensor log_sum_exp;  // [Bg] of the bank, undefined when not needed
  at::Tensor mean;         // [Bg, d]
};

/// Runs the steps on `ranks` thread ranks: score, loss, backward, then enqueue. Rows are split by share().
std::vector<TrialResult> run_trial(const Trial& trial, int ranks);

}  // namespace negatron::testing
