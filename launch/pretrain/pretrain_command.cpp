#include "launch/pretrain/pretrain_command.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "comm/mpi/topology.h"
#include "comm/together.h"
#include "launch/exit_code.h"
#include "launch/keep_memory.h"
#include "launch/pretrain/dry_run.h"
#include "launch/pretrain/pretrain_flags.h"
#include "launch/pretrain/progress_display.h"
#include "launch/pretrain/start_point.h"
#include "launch/pretrain/training_communicator.h"
#include "launch/thread_budget.h"
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
  std::cout << "\nkNN accuracy on features, without labels in training (%)\n";
  if (!std::isnan(summary.raw_pixels)) {
    std::cout << "  raw pixels      " << percent(summary.raw_pixels) << "\n"
              << "  random weights  " << percent(summary.random_weights) << "\n";
  }
  std::cout << "  after training  " << percent(summary.trained) << "\n"
            << "run directory: " << run_directory << "\n"
            << std::flush;
}

}  // namespace

void print_pretrain_help(std::ostream& out) {
  PretrainArguments defaults;
  pretrain_flags(defaults).print_help(out, kUsage);
}

int run_pretrain(Environment& environment, const std::vector<std::string>& arguments, RunSignals& requests) {
  keep_freed_memory();
  PretrainArguments request;
  FlagTable flags = pretrain_flags(request);
  // Until the flags are read and agreed on, messages travel with the defaults.
  const std::unique_ptr<Communicator> start = make_mpi_communicator(environment, CommunicatorOptions{});
  together(*start, [&] {
    flags.parse(arguments);
    request.options.validate(start->size());
    if (!(request.collective_time_limit > 0.0)) throw UsageError("--collective-time-limit must be above 0 seconds.");
  });
  start->agree("configuration", flags.ini());

  const Topology topology = discover_topology(environment);
  ComputePlace place;
  PretrainData data;
  together(*start, [&] {
    place.device = compute_device(topology, request.options.device);
    place.precision = parse_precision(request.options.precision, place.device);
    data = load_pretrain_data(request.options);
  });
  // "auto" may mean different things on different hosts; what it came to is part of the configuration.
  request.options.precision = name_of(place.precision);
  start->agree("precision", request.options.precision);
  const int budget = thread_budget(*start);
  const int threads = request.options.threads > 0 ? static_cast<int>(request.options.threads) : budget;
  at::set_num_threads(threads);

  const bool speaks = start->rank() == 0;
  if (speaks) {
    for (const std::string& warning : contrast_warnings(request.options))
      std::cerr << "negatron: warning: " << warning << "\n";
  }
  if (request.dry_run) {
    if (!speaks) return kExitOk;
    std::cout << flags.ini();
    print_dry_run(request.options, place, data.train, *start, std::cout);
    return kExitOk;
  }
  const std::string config = flags.ini();
  // Of this machine, not of the run: the configuration keeps what was asked for.
  if (request.options.bank_threads < 0) request.options.bank_threads = std::max(0, budget - threads);
  PosixFileLayer files;
  CommunicatorOptions restoring;
  restoring.time_limit = kRestoreTimeLimit;
  const std::unique_ptr<Communicator> restore_comm = make_mpi_communicator(environment, restoring);
  StartPoint point = find_start(*restore_comm, files, request, config);
  if (speaks) {
    for (const std::string& remark : point.remarks) std::cerr << "negatron: warning: " << remark << "\n";
  }
  CommunicatorOptions communication;
  communication.check = request.check_collectives;
  communication.time_limit =
      std::chrono::milliseconds(static_cast<std::int64_t>(1000.0 * request.collective_time_limit));
  const TrainingCommunicator comm(environment, place.device, communication);
  if (speaks) {
    std::cout << "negatron pretrain: " << start->size() << (start->size() == 1 ? " rank" : " ranks") << " on "
              << place.device << " (" << comm.get().transport() << "), " << threads
              << (threads == 1 ? " thread" : " threads") << " each, " << name_of(place.precision) << ", "
              << data.train.size() << " training images, run directory " << point.run_directory.string() << "\n"
              << std::flush;
  }
  PretrainJob job;
  job.run_directory = point.run_directory;
  job.config = config;
  job.host = &comm.host();
  job.restoring = restore_comm.get();
  job.files = &files;
  job.requests = &requests;
  job.resume = std::move(point.resume);
  job.bank = std::move(point.bank);
  job.convert_bank = request.convert_bank;
  job.out = &std::cout;
  job.display = detect_display();
  try {
    const PretrainSummary summary = pretrain(request.options, place, data, comm.get(), job);
    if (speaks) print_summary(summary, point.run_directory.string());
    return exit_code(summary);
  } catch (const SnapshotError& error) {
    // What it should start from does not fit: all ranks hold the same sentence.
    throw UsageError(error.what());
  }
}

}  // namespace negatron
