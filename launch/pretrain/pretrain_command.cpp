#include "launch/pretrain/pretrain_command.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string_view>

#include "comm/mpi/mpi_communicator.h"
#include "comm/mpi/topology.h"
#include "comm/together.h"
#include "launch/exit_code.h"
#include "launch/pretrain/dry_run.h"
#include "launch/pretrain/pretrain_flags.h"
#include "launch/pretrain/progress_display.h"
#include "launch/pretrain/start_point.h"
#include "launch/pretrain/training_communicator.h"
#include "launch/process_setup.h"
#include "runtime/run/pretrain.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/snapshot_error.h"
#include "runtime/training/contrast_setup.h"

namespace negatron {
namespace {

constexpr const char* kUsage =
    "usage: [mpirun -n RANKS] negatron pretrain [FLAGS]\n"
    "\n"
    "Pretrains an encoder with a bank of negatives sharded over the ranks. Every value is that of the whole job.\n"
    "--list-samplers and --list-objectives show what --sampler and --objective can be, with their options.\n";

/// Verifying a bank takes as long as reading it from the slowest disk.
constexpr std::chrono::hours kRestoreTimeLimit{1};

std::string percent(double part) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << 100.0 * part;
  return text.str();
}

int exit_code(const PretrainSummary& summary) {
  if (summary.end == RunEnd::kStopped) return kExitStopped;
  if (!summary.saved) return kExitNotSaved;
  return summary.end == RunEnd::kRequeue ? kExitRequeue : kExitOk;
}

void print_summary(const PretrainSummary& summary, const std::string& run_directory) {
  const std::string where = "after step " + std::to_string(summary.steps_done) + "; --resume auto --run-dir " +
                            run_directory + " goes on from its newest snapshot\n";
  if (summary.end == RunEnd::kStopped) {
    std::cout << "stopped by SIGTERM " << where << std::flush;
    return;
  }
  if (!summary.saved) std::cerr << "negatron: the last snapshot could not be written; the older ones are untouched.\n";
  if (summary.end == RunEnd::kRequeue) {
    std::cout << "left at the request of SIGUSR1 " << where << std::flush;
    return;
  }
  // Data without labels have nothing to classify.
  if (!std::isnan(summary.trained)) {
    std::cout << "\nkNN accuracy on features, without labels in training (%)\n";
    if (!std::isnan(summary.raw_pixels)) {
      std::cout << "  raw pixels      " << percent(summary.raw_pixels) << "\n"
                << "  random weights  " << percent(summary.random_weights) << "\n";
    }
    std::cout << "  after training  " << percent(summary.trained) << "\n";
  }
  std::cout << "run directory: " << run_directory << "\n" << std::flush;
}

/// One start of `negatron pretrain`: what its four parts, in their order, share. Collective, each of them.
class PretrainStart {
 public:
  /// Until the flags are read and agreed on, messages travel with the defaults.
  explicit PretrainStart(Environment& environment)
      : environment_(environment),
        flags_(pretrain_flags(request_)),
        comm_(make_mpi_communicator(environment, CommunicatorOptions{})) {}

  /// Reads the flags; they are the same on every rank from here on.
  void read(const std::vector<std::string>& arguments) {
    together(*comm_, [&] {
      flags_.parse(arguments);
      request_.options.validate(comm_->size());
      if (!(request_.collective_time_limit > 0.0)) throw UsageError("--collective-time-limit must be above 0 seconds.");
    });
    comm_->agree("configuration", flags_.ini());
  }

  /// Finds this rank's device and threads, and loads the data.
  void place() {
    const Topology topology = discover_topology(environment_);
    together(*comm_, [&] {
      place_.device = compute_device(topology, request_.options.device);
      place_.precision = parse_precision(request_.options.precision, place_.device);
      data_ = load_pretrain_data(request_.options);
    });
    // "auto" may mean different things on different hosts; what it came to is part of the configuration.
    request_.options.precision = name_of(place_.precision);
    comm_->agree("precision", request_.options.precision);
    // Collective, so every rank asks, whatever --threads says; the cores that it leaves over are free for the bank.
    const int budget = thread_budget(*comm_);
    threads_ = request_.options.threads > 0 ? static_cast<int>(request_.options.threads) : budget;
    free_threads_ = std::max(0, budget - threads_);
    at::set_num_threads(threads_);
    if (!speaks()) return;
    for (const std::string& warning : contrast_warnings(request_.options)) warn(warning);
  }

  bool is_dry() const { return request_.dry_run; }

  /// What a run would be; trains nothing.
  int describe() const {
    if (!speaks()) return kExitOk;
    std::cout << flags_.ini();
    print_dry_run(request_.options, place_, *data_.train, *comm_, std::cout);
    return kExitOk;
  }

  /// Makes the run directory this run's, and finds what the run goes on from.
  StartPoint find() {
    config_ = flags_.ini();
    // Of this machine, not of the run: the configuration keeps what was asked for.
    if (request_.options.bank_threads < 0) request_.options.bank_threads = free_threads_;
    CommunicatorOptions restoring;
    restoring.time_limit = kRestoreTimeLimit;
    restoring_ = make_mpi_communicator(environment_, restoring);
    StartPoint point = find_start(*restoring_, files_, request_, flags_, config_);
    if (!speaks()) return point;
    for (const std::string& remark : point.remarks) warn(remark);
    return point;
  }

  /// Trains, and says how it ended.
  int train(const StartPoint& point, RunSignals& requests) {
    CommunicatorOptions communication;
    communication.check = request_.check_collectives;
    communication.time_limit =
        std::chrono::milliseconds(static_cast<std::int64_t>(1000.0 * request_.collective_time_limit));
    const TrainingCommunicator comm(environment_, place_.device, communication);
    if (speaks()) print_start(comm.get().transport(), point);
    PretrainJob job;
    job.run_directory = point.run_directory;
    job.config = config_;
    job.host = &comm.host();
    job.restoring = restoring_.get();
    job.files = &files_;
    job.requests = &requests;
    job.resume = point.resume;
    job.bank = point.bank;
    job.convert_bank = request_.convert_bank;
    job.out = &std::cout;
    job.display = detect_display();
    const PretrainSummary summary =
        failing_as_usage([&] { return pretrain(request_.options, place_, data_, comm.get(), job); });
    if (speaks()) print_summary(summary, point.run_directory.string());
    return exit_code(summary);
  }

 private:
  bool speaks() const { return comm_->rank() == 0; }

  static void warn(const std::string& sentence) { std::cerr << "negatron: warning: " << sentence << "\n"; }

  void print_start(std::string_view transport, const StartPoint& point) const {
    std::cout << "negatron pretrain: " << comm_->size() << (comm_->size() == 1 ? " rank" : " ranks") << " on "
              << place_.device << " (" << transport << "), " << threads_ << (threads_ == 1 ? " thread" : " threads")
              << " each, " << name_of(place_.precision) << ", " << data_.train->size()
              << " training images, run directory " << point.run_directory.string() << "\n"
              << std::flush;
  }

  /// What a run should start from does not fit: all ranks hold the same sentence.
  static PretrainSummary failing_as_usage(const std::function<PretrainSummary()>& run) {
    try {
      return run();
    } catch (const SnapshotError& error) {
      throw UsageError(error.what());
    }
  }

  Environment& environment_;
  PretrainArguments request_;
  FlagTable flags_;
  /// Carries the start.
  std::unique_ptr<Communicator> comm_;
  /// Waits as long as reading a snapshot takes.
  std::unique_ptr<Communicator> restoring_;
  PosixFileLayer files_;
  ComputePlace place_;
  PretrainData data_;
  int threads_ = 1;
  /// Cores of this rank that training leaves free.
  int free_threads_ = 0;
  std::string config_;
};

}  // namespace

void print_pretrain_help(std::ostream& out) {
  PretrainArguments defaults;
  pretrain_flags(defaults).print_help(out, kUsage);
}

int run_pretrain(Environment& environment, const std::vector<std::string>& arguments, RunSignals& requests) {
  keep_freed_memory();
  PretrainStart start(environment);
  start.read(arguments);
  start.place();
  if (start.is_dry()) return start.describe();
  const StartPoint point = start.find();
  return start.train(point, requests);
}

}  // namespace negatron
