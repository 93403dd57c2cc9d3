#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "launch/plan/planned_line.h"
#include "runtime/planning/measured_machine.h"

namespace negatron {

/// What print_cluster_plan() prints, as one JSON object: bytes, seconds and images per second, efficiency as a share.
/// `too_small`: a sentence for each number of GPUs that cannot hold the bank. Local.
void write_cluster_plan(const MachinePreset& preset, const std::vector<PlannedLine>& lines,
                        const std::vector<std::string>& too_small, std::ostream& out);

/// What print_comparison() prints, as one JSON object: seconds, bytes and FLOP per second. A rate that sizes made no
/// difference to is null. Local.
void write_comparison(const MeasuredMachine& measured, const PlannedJob& job, std::ostream& out);

}  // namespace negatron
