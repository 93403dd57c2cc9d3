#pragma once

#include <iosfwd>
#include <vector>

#include "runtime/planning/machine_presets.h"
#include "runtime/planning/measured_machine.h"
#include "runtime/planning/planned_job.h"

namespace negatron {

/// One line for each job: how the bank is split, what it takes, what moves and how long a step is; then what moves on
/// the largest of them, call by call. Efficiency is images per second and GPU against the first job.
void print_cluster_plan(const MachinePreset& preset, const std::vector<PlannedJob>& jobs, std::ostream& out);

/// Constants that were measured here, and what they predict of the bank's stage beside what it took.
void print_comparison(const MeasuredMachine& measured, const PlannedJob& job, std::ostream& out);

}  // namespace negatron
