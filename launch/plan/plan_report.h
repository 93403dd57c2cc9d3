#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "launch/plan/planned_line.h"
#include "runtime/planning/measured_machine.h"

namespace negatron {

/// How the bank is split on each number of GPUs, what it takes, what moves and how long a step is; then what moves on
/// the largest of them, call by call, and a sentence of `too_small` for each that cannot hold the bank. Local.
void print_cluster_plan(const MachinePreset& preset, const std::vector<PlannedLine>& lines,
                        const std::vector<std::string>& too_small, std::ostream& out);

/// Constants that were measured here, and what they predict of the bank's stage beside what it took.
void print_comparison(const MeasuredMachine& measured, const PlannedJob& job, std::ostream& out);

}  // namespace negatron
