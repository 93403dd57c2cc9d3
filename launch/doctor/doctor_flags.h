#pragma once

#include <chrono>
#include <string>

#include "launch/doctor/gpu_check.h"
#include "launch/flags/flag_table.h"

namespace negatron {

/// What `negatron doctor` was asked for.
struct DoctorArguments {
  /// Empty: no directory is tried.
  std::string run_dir;
  GpuUse gpus = GpuUse::kIfAll;
  /// Seconds for all of it.
  double time_limit = 50.0;
  bool json = false;

  /// How long the ranks may take to find each other.
  std::chrono::milliseconds start_limit() const;
  /// How long each other part may take; a start and all parts together stay within time_limit, about.
  std::chrono::milliseconds part_limit() const;
};

/// The flags of `negatron doctor`, bound to the fields of `request`, which must outlive the table.
FlagTable doctor_flags(DoctorArguments& request);

}  // namespace negatron
