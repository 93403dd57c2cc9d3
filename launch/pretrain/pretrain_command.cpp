#include "launch/pretrain/pretrain_command.h"

#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "launch/exit_code.h"
#include "launch/pretrain/pretrain_flags.h"
#include "launch/pretrain/pretrain_start.h"
#include "launch/process_setup.h"

namespace negatron {
namespace {

constexpr const char* kPretrainUsage =
    "usage: [mpirun -n RANKS] negatron pretrain [FLAGS]\n"
    "\n"
    "Pretrains an encoder with a bank of negatives sharded over the ranks. Every value is that of the whole job.\n"
    "--list-samplers and --list-objectives show what --sampler and --objective can be, with their options.\n";

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

/// What the encoder is compared with, as wide as "after training".
struct BaselineNames {
  const char* raw = "raw pixels      ";
  const char* start = "random weights  ";
};

void print_summary(const PretrainSummary& summary, const std::string& run_directory, const BaselineNames& names) {
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
      std::cout << "  " << names.raw << percent(summary.raw_pixels) << "\n"
                << "  " << names.start << percent(summary.random_weights) << "\n";
    }
    std::cout << "  after training  " << percent(summary.trained) << "\n";
  }
  std::cout << "run directory: " << run_directory << "\n" << std::flush;
}

}  // namespace

void print_pretrain_help(std::ostream& out) {
  PretrainArguments defaults;
  pretrain_flags(defaults).print_help(out, kPretrainUsage);
}

int run_pretrain(Environment& environment, const std::vector<std::string>& arguments, RunSignals& requests) {
  keep_freed_memory();
  PretrainStart start(environment);
  start.read(arguments);
  start.place();
  if (start.is_dry()) {
    start.describe();
    return kExitOk;
  }
  const StartPoint point = start.find();
  const PretrainSummary summary = start.train(point, requests);
  BaselineNames names;
  if (start.has_features()) names.raw = "raw features    ";
  if (!start.starts_random()) names.start = "initial weights ";
  if (start.speaks()) print_summary(summary, point.run_directory.string(), names);
  return exit_code(summary);
}

}  // namespace negatron
