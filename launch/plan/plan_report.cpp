#include "launch/plan/plan_report.h"

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "launch/plan/plan_flags.h"
#include "runtime/planning/step_prediction.h"
#include "runtime/snapshots/bank_file.h"
#include "runtime/snapshots/hdf5/dtype_text.h"

namespace negatron {
namespace {

constexpr double kMilli = 1e3;
constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kGiga = 1e9;

std::string number(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

/// Three digits that count, as far as two behind the point show them.
std::string short_number(double value) {
  return number(value, value >= 100.0 ? 0 : value >= 10.0 ? 1 : value >= 1.0 ? 2 : 3);
}

// A line fitted to measured times gives its slope as seconds per byte or score. Where larger sizes took no longer the
// slope is 0 and the rate infinite: the machine is faster than the clock can tell.
/// A rate, or that sizes made no difference to the time that it comes from.
std::string rate_text(double value, double scale, const char* unit) {
  return std::isfinite(value) ? short_number(value / scale) + unit : std::string("no time that grows with size");
}

struct Column {
  const char* title;
  const char* unit;
  int width;
};

/// Two lines of titles, because "MiB moved" says nothing without "bank" or "gradients" above it. The width is that of
/// the widest number at 4,096 GPUs, and one blank.
constexpr Column kColumns[] = {{"GPUs", "", 5},        {"batch", "", 8},          {"S", "", 5},
                               {"bank", "MiB/GPU", 9}, {"bank", "MiB moved", 10}, {"gradients", "MiB moved", 10},
                               {"compute", "ms", 8},   {"latency", "ms", 8},      {"bandwidth", "ms", 10},
                               {"stage", "ms", 7},     {"keys", "ms", 7},         {"step", "ms", 7},
                               {"images/s", "", 10},   {"efficiency", "%", 11}};

void print_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) out << std::setw(kColumns[i].width) << cells[i];
  out << "\n";
}

std::string title(const PlannedJob& job) {
  std::string kind = rows_stay(job.bank_kind) ? ", bank of kind " + kind_text(job.bank_kind) : "";
  if (rows_learn(job.bank_kind)) kind += " trained by " + row_optimizer_text(job.row_optimizer);
  return "K " + std::to_string(job.bank_rows) + ", d " + std::to_string(job.width) + ", " + dtype_text(job.bank_dtype) +
         kind + ", InfoNCE over the whole bank" + (job.hard > 0 ? ", hardest " + std::to_string(job.hard) : "");
}

void print_calls(const PlannedJob& job, std::ostream& out) {
  out << "\nReceived by rank 0 in a step on " << job.ranks << " GPUs\n";
  // A list of calls and not a sum, since a reader compares it with the bytes by collective in metrics.jsonl.
  for (const PlannedCall& call : received_calls(job)) {
    out << "  " << std::left << std::setw(26) << call.purpose << std::setw(12) << name_of(call.collective) << std::right
        << std::setw(14) << call.received << " bytes\n";
  }
}

/// What the table has no column for, because few banks have it.
void print_what_rows_take(const std::vector<PlannedLine>& lines, std::ostream& out) {
  for (const PlannedLine& line : lines) {
    const std::string here = " on " + std::to_string(line.job.ranks) + " GPUs takes ";
    if (line.step.learn > 0.0) {
      out << "What rows learn" << here << short_number(kMilli * line.step.learn) << " ms of the step\n";
    }
    if (line.refresh_seconds > 0.0) {
      out << "Making the index anew" << here << short_number(line.refresh_seconds) << " s, in which training waits\n";
    }
  }
}

}  // namespace

void print_cluster_plan(const MachinePreset& preset, const std::vector<PlannedLine>& lines,
                        const std::vector<std::string>& too_small, std::ostream& out) {
  const PlannedJob& first = lines.front().job;
  out << preset.name << ": " << preset.description << "; constants from published measurements, not measured here\n"
      << title(first) << "; " << number(1.0 / first.sample_seconds, 0) << " images/s a GPU without a bank, "
      << number(first.gradient_bytes / kMega, 0) << " MB of gradients\n\n";
  std::vector<std::string> titles;
  std::vector<std::string> units;
  for (const Column& column : kColumns) {
    titles.emplace_back(column.title);
    units.emplace_back(column.unit);
  }
  print_row(out, titles);
  print_row(out, units);
  for (const PlannedLine& line : lines) {
    const StagePrediction& bank = line.step.bank;
    print_row(out, {std::to_string(line.job.ranks), std::to_string(line.job.global_batch),
                    std::to_string(line.job.shards), short_number(static_cast<double>(line.bank_bytes) / kMiB),
                    short_number(line.bank_received / kMiB), short_number(line.gradients_received / kMiB),
                    short_number(kMilli * bank.compute()), short_number(kMilli * bank.exchange.latency),
                    short_number(kMilli * bank.exchange.bandwidth), short_number(kMilli * bank.seconds()),
                    short_number(kMilli * line.step.enqueue.seconds()), short_number(kMilli * line.step.seconds()),
                    number(line.images_per_second, 0), number(100.0 * line.efficiency, 1)});
  }
  print_calls(lines.back().job, out);
  print_what_rows_take(lines, out);
  for (const std::string& sentence : too_small) out << sentence << "\n";
}

void print_comparison(const MeasuredMachine& measured, const PlannedJob& job, std::ostream& out) {
  const Machine& machine = measured.machine;
  const StagePrediction predicted = predict_stage(machine, job);
  const auto line = [&](const char* name, const std::string& text) {
    out << "  " << std::left << std::setw(30) << name << text << std::right << "\n";
  };
  const auto milliseconds = [](double seconds) { return number(kMilli * seconds, 3) + " ms"; };
  out << job.ranks << (job.ranks == 1 ? " rank" : " ranks") << ", S " << job.shards << ", batch " << job.global_batch
      << ", " << title(job) << "\nMeasured here, by all ranks at once, on other sizes than the job's\n";
  line("pass",
       rate_text(machine.pass_flops, kTera, " TFLOP/s a rank") + ", and " + milliseconds(machine.pass_start_seconds));
  line("memory", rate_text(machine.read_bytes_per_second, kGiga, " GB/s a rank"));
  if (job.hard > 0) {
    line("hardest rows", short_number(kGiga * machine.select_seconds_per_score) + " ns a score, and " +
                             milliseconds(machine.select_start_seconds));
  }
  line("rest of a stage", milliseconds(machine.rest_seconds));
  // The link says what one of a collective's rounds takes; people know the time of the whole call, so it is that.
  for (const Collective collective : {Collective::kAllGather, Collective::kAllToAll, Collective::kAllReduce}) {
    if (job.shards == 1) continue;
    const Link& link = machine.network.levels.front().links[static_cast<std::size_t>(collective)];
    const double steps = steps_of(collective, job.shards, 1, job.shards);
    line(name_of(collective),
         milliseconds(steps * link.step_seconds) + " and " + rate_text(link.bytes_per_second, kGiga, " GB/s"));
  }
  out << "Bank's stage of a step\n";
  line("compute", milliseconds(predicted.compute()));
  line("exchange, latency", milliseconds(predicted.exchange.latency));
  line("exchange, bandwidth", milliseconds(predicted.exchange.bandwidth));
  line("predicted", milliseconds(predicted.seconds()));
  line("measured", milliseconds(measured.stage_seconds));
  line("error", number(100.0 * (predicted.seconds() / measured.stage_seconds - 1.0), 1) + " %");
}

}  // namespace negatron
