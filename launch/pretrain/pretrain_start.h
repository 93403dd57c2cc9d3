#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi/environment.h"
#include "comm/mpi/topology.h"
#include "launch/flags/flag_table.h"
#include "launch/pretrain/dry_run.h"
#include "launch/pretrain/pretrain_flags.h"
#include "launch/pretrain/run_output.h"
#include "launch/pretrain/signal_watch.h"
#include "launch/pretrain/start_point.h"
#include "launch/rank_agreement.h"
#include "launch/slurm/slurm_job.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/run/pretrain.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/run/run_signals.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/training/contrast_setup.h"

namespace negatron {

/// One start of `negatron pretrain`: what its parts, called in the order in which they stand here, share. Each part is
/// collective, and throws UsageError or std::invalid_argument on every rank when the request cannot work. Standard
/// output and warnings are rank 0's.
class PretrainStart {
 public:
  /// `environment` outlives it. Collective.
  explicit PretrainStart(Environment& environment);

  /// Reads the flags; they are the same on every rank from here on, and every rank can do what they ask.
  void read(const std::vector<std::string>& arguments);
  /// Finds this rank's device and threads, and loads the data.
  void place();

  bool is_dry() const { return request_.dry_run; }
  /// Without weights from a file. Local.
  bool starts_random() const { return request_.options.init.file.empty(); }
  /// In the place of images. Local, behind place().
  bool has_features() const { return data_.train->gives_features(); }
  /// Prints what a run would be, as a file that --config reads; refuses what it would refuse. Makes nothing.
  void describe();

  /// What the run does at SIGTERM. Local, behind read().
  TermPolicy term_policy() const;

  /// Makes the run directory this run's, and finds what the run goes on from.
  StartPoint find();
  /// The run itself.
  PretrainSummary train(const StartPoint& point, RunSignals& requests);

  /// Whether this rank is the one that prints. Local.
  bool speaks() const { return comm_->rank() == 0; }
  /// Of the rank that speaks.
  RunOutput& output() { return output_; }

 private:
  /// Opens the log, and records this start.
  void open_record(const StartPoint& point);
  void print_remarks(std::ostream& out) const;
  void print_start(std::string_view transport, const StartPoint& point);

  Environment& environment_;
  RunOutput output_;
  /// The command line.
  std::vector<std::string> arguments_;
  PretrainArguments request_;
  FlagTable flags_;
  /// Carries the start.
  std::unique_ptr<Communicator> comm_;
  Topology topology_;
  SlurmJob slurm_ = slurm_job();
  RankAgreement ranks_;
  /// Waits as long as reading a snapshot takes, or an archive. Behind place().
  std::unique_ptr<Communicator> restoring_;
  PosixFileLayer files_;
  ContrastSetup contrast_;
  ComputePlace place_;
  PretrainData data_;
  KnownSizes sizes_;
  int threads_ = 1;
  /// Cores of this rank that training leaves free.
  int free_threads_ = 0;
  int loader_threads_ = 1;
  std::string config_;
};

}  // namespace negatron
