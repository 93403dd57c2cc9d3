#pragma once

#include <cstdint>
#include <string>

#include "launch/flags/flag_table.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Values of --resume that are no paths.
inline constexpr const char* kResumeNewest = "auto";
inline constexpr const char* kResumeNever = "never";

/// What `negatron pretrain` was asked for: the run, and how to launch it.
struct PretrainArguments {
  PretrainOptions options;
  /// Empty: runs/pretrain-<date>-<time>.
  std::string run_directory;
  /// kResumeNewest, kResumeNever or the path of a snapshot.
  std::string resume = kResumeNever;
  /// A snapshot whose bank a new run starts from; empty for none.
  std::string bank;
  bool convert_bank = false;
  bool dry_run = false;
  bool quiet = false;
  /// What SIGTERM does: save and leave, or leave at once.
  bool saves_on_term = true;
  /// Seconds. Less than the 30 that Slurm and Kubernetes wait between SIGTERM and SIGKILL.
  double term_grace = 25.0;
  bool check_collectives = false;
  /// Seconds.
  double collective_time_limit = 600.0;
};

/// A field that says which images are held out. `field` outlives what is returned. Local.
TypedField holdout_field(Holdout* field);

/// The flags of `negatron pretrain`, bound to the fields of `request`, which must outlive the table.
FlagTable pretrain_flags(PretrainArguments& request);

}  // namespace negatron
