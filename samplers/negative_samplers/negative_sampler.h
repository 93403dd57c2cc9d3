#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/generators/generator.h"

namespace negatron {

/// What the whole job saw in one step; equal on all ranks.
struct StepFeedback {
  std::int64_t step = 0;
  double loss = 0.0;
  /// Share of queries whose positive beats every negative, 0 to 1; may be NaN unless observes_accuracy().
  double proxy_accuracy = 0.0;
  /// Passes over the data at that step, as its QueryBatch said.
  double epoch;
};

/// Says which negatives a batch of queries meets, and how they are weighted. Describes; never communicates, so a new
/// sampler works on any number of ranks. Local; equal calls in equal order on all ranks.
class NegativeSampler {
 public:
  virtual ~NegativeSampler() = default;

  virtual NegativeRequest request(const Bank& bank, const QueryBatch& batch) const = 0;
  /// Whether request() looks at the keys of the batch; without, it may be called before they are there.
  virtual bool draws_by_keys() const { return false; }
  /// Whether request() ever asks for rows of the bank; a step without need not know which of them hold own samples.
  virtual bool meets_rows() const { return true; }
  /// What makes further negatives of each query, and is trained with the encoder; null for nothing.
  virtual const NegativeGenerator* generator() const { return nullptr; }
  /// Whether observe() looks at the accuracy; without, it may be NaN.
  virtual bool observes_accuracy() const { return false; }
  /// After each step, for what adapts to it.
  virtual void observe(const StepFeedback&) {}
  /// After each step that was not skipped, what request().kept chose: ids [Bg] of all ranks' samples and [Bg, n] int64
  /// slots, -1 for none, on the host and alike on all ranks.
  virtual void learn(const at::Tensor& /*ids*/, const at::Tensor& /*kept*/) {}
  /// What it keeps for each sample, [samples, n] int64 on the host, for snapshots, the live tensor; undefined for
  /// nothing. check_lists() throws MissingState for what cannot be restored.
  virtual at::Tensor lists() const { return {}; }
  virtual void check_lists(const at::Tensor&) const {}
  virtual void restore_lists(const at::Tensor&) {}
  /// Numbers that tell how it stood in the step that observe() was last told of, for the metrics ("ring_outer").
  virtual std::map<std::string, double> metrics() const { return {}; }
  /// What observe() has changed, for snapshots.
  virtual std::string state() const { return {}; }
  virtual void restore(const std::string&) {}
};

}  // namespace negatron
