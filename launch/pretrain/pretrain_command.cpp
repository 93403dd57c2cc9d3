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
  if (summary.end == RunEnd::kTerminated) return kExitStopped;
  return summary.end == RunEnd::kRequeue ? kExitRequeue : kExitOk;
}

/// What the encoder is compared with, as wide as "after training".
struct BaselineNames {
  const char* raw = "raw pixels      ";
  const char* start = "random weights  ";
};

std::string percent_knn(double part) {
  return std::isnan(part) ? std::string() : "kNN " + percent(part) + " % ";
}

/// Of a run that leaves before it is done.
std::string reason_of(RunEnd end) {
  if (end == RunEnd::kStopped) return "stopped by SIGTERM";
  return end == RunEnd::kTerminated ? "left as asked (SIGTERM)" : "left as asked (Ctrl-C, SIGUSR1 or SIGUSR2)";
}

/// All that a quiet run says in the end.
std::string result_line(const PretrainSummary& summary, const std::string& run_directory) {
  const std::string steps = "after step " + std::to_string(summary.steps_done);
  if (summary.end == RunEnd::kStopped) return "stopped by SIGTERM " + steps + ", run directory: " + run_directory;
  if (summary.end != RunEnd::kDone) {
    return "left as asked " + steps + "; --resume auto --run-dir " + run_directory + " goes on";
  }
  return percent_knn(summary.trained) + steps + ", run directory: " + run_directory;
}

void print_summary(const PretrainSummary& summary, const std::string& run_directory, const BaselineNames& names,
                   std::ostream& out) {
  const std::string where = "after step " + std::to_string(summary.steps_done) + "; --resume auto --run-dir " +
                            run_directory + " goes on from its newest snapshot\n";
  if (summary.end != RunEnd::kDone) {
    out << reason_of(summary.end) << " " << where << std::flush;
    return;
  }
  // Data without labels have nothing to classify.
  if (!std::isnan(summary.trained)) {
    out << "\nkNN accuracy on features, without labels in training (%)\n";
    if (!std::isnan(summary.raw_pixels)) {
      out << "  " << names.raw << percent(summary.raw_pixels) << "\n"
          << "  " << names.start << percent(summary.random_weights) << "\n";
    }
    out << "  after training  " << percent(summary.trained) << "\n";
  }
  out << "run directory: " << run_directory << "\n" << std::flush;
}

void tell_end(PretrainStart& start, const PretrainSummary& summary, const std::string& run_directory) {
  if (summary.end != RunEnd::kStopped && !summary.saved) {
    const char* sentence = "negatron: the last snapshot could not be written; the older ones are untouched.\n";
    std::cerr << sentence;
    start.output().log() << sentence;
  }
  BaselineNames names;
  if (start.has_features()) names.raw = "raw features    ";
  if (!start.starts_random()) names.start = "initial weights ";
  print_summary(summary, run_directory, names, start.output().all());
  if (start.output().is_quiet()) std::cout << result_line(summary, run_directory) << "\n" << std::flush;
  for (const std::string& sentence : summary.missing) start.output().insist(sentence);
  for (const std::string& sentence : start.output().missing()) start.output().insist(sentence);
}

}  // namespace

void print_pretrain_help(std::ostream& out) {
  PretrainArguments defaults;
  pretrain_flags(defaults).print_help(out, kPretrainUsage);
}

void print_pretrain_completions(std::ostream& out) {
  PretrainArguments defaults;
  out << "--list-samplers\n--list-objectives\n";
  pretrain_flags(defaults).print_completions(out);
}

int run_pretrain(Environment& environment, const std::vector<std::string>& arguments, SignalWatch& signals) {
  keep_freed_memory();
  PretrainStart start(environment);
  start.read(arguments);
  start.place();
  if (start.is_dry()) {
    start.describe();
    return kExitOk;
  }
  const StartPoint point = start.find();
  try {
    signals.honour(start.term_policy());
    const PretrainSummary summary = start.train(point, signals.requests());
    signals.run_is_over();
    if (start.speaks()) tell_end(start, summary, point.run_directory.string());
    return exit_code(summary);
  } catch (const std::exception& error) {
    // Who reads the log in the morning wants to know why it ends.
    start.output().log() << "negatron: " << error.what() << "\n" << std::flush;
    throw;
  }
}

}  // namespace negatron
