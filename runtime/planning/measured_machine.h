#pragma once

#include "comm/communicator.h"
#include "runtime/planning/machine.h"
#include "runtime/planning/place_here.h"
#include "runtime/planning/planned_job.h"

namespace negatron {

struct MeasuredMachine {
  Machine machine;
  /// Of BankExchange::run for the job: what predict_stage() predicts. No constant of `machine` depends on it.
  double stage_seconds = 0.0;
};

/// Constants of this machine for the job's queries and width, in a few seconds, and the job's stage itself. All ranks
/// measure at once, so that what they take from each other is in the constants. No constant comes from the size of the
/// job: lines (fitted_line.h) are fitted to the pass, without and with hardest rows, over half the bank and over one
/// and a half, and to collectives of 1 KiB to 1 MiB from each rank; the rest is what a stage over an eighth of the
/// bank, without hardest rows, takes beside that. The network joins no more ranks than `group`, the job.shards ranks
/// that share a copy of the bank. Collective; all groups measure at once.
MeasuredMachine measure_machine(Communicator& group, const PlannedJob& job, const PlaceHere& place);

}  // namespace negatron
