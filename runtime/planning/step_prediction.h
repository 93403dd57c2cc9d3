#pragma once

#include "runtime/planning/machine.h"
#include "runtime/planning/planned_job.h"

namespace negatron {

/// Seconds of rank 0 in the bank's stage of a step, a BankStage from end to end (COST_MODEL.md 4). What a step hides of
/// it behind the key encoder is not taken off: where every core is busy nothing is hidden.
struct StagePrediction {
  /// start + 4 d Q K/S / F: the pass by its products; Q are the queries of a copy's group.
  double multiply = 0.0;
  /// (K/S) d w / W: the pass by reading the shard once.
  double read = 0.0;
  /// Finding the shard's hardest rows.
  double select = 0.0;
  /// What else the machine does in a stage, whatever its size.
  double rest = 0.0;
  CollectiveTime exchange;

  double compute() const { return (multiply > read ? multiply : read) + select + rest; }
  double seconds() const { return compute() + exchange.seconds(); }
};

/// Seconds of rank 0 in a training step.
struct StepPrediction {
  /// Forward and backward passes over the rank's samples.
  double encoder = 0.0;
  StagePrediction bank;
  /// Keys into all copies of the bank; where rows are positives, those of own samples to who asks for them, and queries
  /// or gradients to their rows.
  CollectiveTime enqueue;
  /// Of rows that learn: the sweep that finds their gradient, and their own step.
  double learn = 0.0;
  /// All gradients, one bucket after the other.
  CollectiveTime gradients;
  /// What of that is left when backward is over; at least the last bucket.
  double gradients_exposed = 0.0;

  double seconds() const { return encoder + bank.seconds() + enqueue.seconds() + learn + gradients_exposed; }
};

/// Bytes of a rank's shard, holes of the grid included (bank_layout.h).
struct ShardMemory {
  std::int64_t vectors = 0;
  /// Slots, labels and validity, where the vectors are.
  std::int64_t numbers = 0;
  /// Ids and steps.
  std::int64_t host = 0;
  /// Of rows that learn: raw rows, and what their optimizer remembers.
  std::int64_t learning = 0;
  /// Of an index: its rows once more, while they are made anew.
  std::int64_t anew = 0;

  std::int64_t on_device() const { return vectors + numbers + learning + anew; }
};

/// All are local, and throw std::invalid_argument as check() of planned_job.h.
StagePrediction predict_stage(const Machine& machine, const PlannedJob& job);
StepPrediction predict_step(const Machine& machine, const PlannedJob& job);
/// Seconds in which an index is made anew, training waiting for it; 0 for other kinds.
double predict_refresh(const PlannedJob& job);
ShardMemory shard_memory(const PlannedJob& job, std::int64_t rank);

}  // namespace negatron
