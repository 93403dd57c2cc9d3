#pragma once

#include <cstdint>
#include <vector>

#include "runtime/planning/exchange_calls.h"
#include "runtime/planning/machine_presets.h"
#include "runtime/planning/planned_job.h"
#include "runtime/planning/step_prediction.h"

namespace negatron {

/// What is told of one number of GPUs, as text or as JSON.
struct PlannedLine {
  PlannedJob job;
  StepPrediction step;
  /// Of rank 0, whose share is the largest where shares differ by one: what the bank takes of its GPU at most, and what
  /// it receives in a step for the bank and of the gradients, bytes.
  std::int64_t bank_bytes = 0;
  double bank_received = 0.0;
  double gradients_received = 0.0;
  /// Of all GPUs.
  double images_per_second = 0.0;
  /// In which an index is made anew; 0 for other kinds.
  double refresh_seconds = 0.0;
  /// One GPU beside one GPU of the first line: what it loses is what the network costs.
  /// Example: 13,222 images/s on 8 GPUs are 1,652.8 each, 837,711 on 512 are 1,636.2 each, or 0.990.
  double efficiency = 1.0;
};

/// A line for each job. Local; throws std::invalid_argument as predict_step().
std::vector<PlannedLine> planned_lines(const MachinePreset& preset, const std::vector<PlannedJob>& jobs);

/// What rank 0 receives in a step, call by call; calls that bring it nothing are left out. All buckets of gradients are
/// one call: how many there are depends on their size and not on the job. Local.
std::vector<PlannedCall> received_calls(const PlannedJob& job);

}  // namespace negatron
