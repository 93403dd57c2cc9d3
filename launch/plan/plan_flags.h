#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "launch/flags/flag_table.h"
#include "runtime/planning/machine_presets.h"
#include "runtime/planning/planned_job.h"
#include "samplers/cpu/cpu_isa.h"

namespace negatron {

/// What people give and read rates and sizes in.
inline constexpr double kMega = 1e6;
inline constexpr double kTera = 1e12;

/// What `negatron plan` was asked for.
struct PlanArguments {
  std::int64_t global_batch = 4096;
  /// 0: the global batch stays the same on any number of ranks.
  std::int64_t batch_per_gpu = 0;
  std::int64_t bank_rows = 65536;
  std::int64_t width = 128;
  at::ScalarType bank_dtype = at::kBFloat16;
  BankKind bank_kind = BankKind::kQueue;
  RowOptimizerKind row_optimizer = RowOptimizerKind::kSgd;
  std::int64_t hard = 0;
  /// 0: choose.
  std::int64_t shards = 0;
  double images_per_second = 2000.0;
  double gradient_mb = 100.0;

  std::string gpu = "h200";
  /// Empty: kPlannedRanks.
  std::vector<std::int64_t> ranks;
  double bank_memory_gb = 32.0;
  /// 0: the preset's.
  double pass_tflops = 0.0;

  bool here = false;
  at::DeviceType device = at::kCPU;
  std::int64_t threads = 0;
  CpuIsa cpu_isa = CpuIsa::kAuto;

  bool json = false;

  /// The job on so many ranks; its shards are 1 where they are to be chosen. Throws UsageError, or
  /// std::invalid_argument, with one sentence that names the flag.
  PlannedJob job(std::int64_t job_ranks) const;
  /// What the GPUs of --gpu are to be planned with. Throws as job().
  MachinePreset preset() const;
  /// --ranks, or what stands in for it.
  std::vector<std::int64_t> planned_ranks() const;
  /// Throws as job().
  void validate() const;
};

/// The flags of `negatron plan`, bound to the fields of `request`, which must outlive the table.
FlagTable plan_flags(PlanArguments& request);

}  // namespace negatron
