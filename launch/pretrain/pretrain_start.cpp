#include "launch/pretrain/pretrain_start.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include "comm/mpi/launcher.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/roll_call/rank_ranges.h"
#include "comm/together.h"
#include "launch/build_identity.h"
#include "launch/compute_device.h"
#include "launch/cores/thread_budget.h"
#include "launch/exit_code.h"
#include "launch/host_memory.h"
#include "launch/pretrain/dry_run.h"
#include "launch/pretrain/memory_check.h"
#include "launch/pretrain/progress_display.h"
#include "launch/pretrain/run_starts.h"
#include "launch/pretrain/training_communicator.h"
#include "launch/process_setup.h"
#include "launch/standard_stream.h"
#include "launch/version.h"
#include "runtime/data/registry.h"
#include "runtime/run/data_identity.h"
#include "runtime/run/fill_with_features.h"
#include "runtime/run/initial_weights.h"
#include "runtime/snapshots/snapshot_error.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// Verifying a bank takes as long as reading it from the slowest disk; so does the index of large archives.
constexpr std::chrono::hours kRestoreTimeLimit{1};

/// Any rank's, in any thread.
void warn(const std::string& sentence) {
  std::cerr << ("negatron: warning: " + terminal_text(sentence) + "\n");
}

void require_normalization(const std::optional<Normalization>& given, std::int64_t channels) {
  if (!given || given->serves(channels)) return;
  throw UsageError("--normalize has " + std::to_string(given->mean().size()) + " means, the data have " +
                   std::to_string(channels) + (channels == 1 ? " channel." : " channels."));
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000.0 * seconds));
}

CommunicatorOptions communication(const PretrainArguments& request) {
  CommunicatorOptions options;
  options.check = request.check_collectives;
  options.time_limit = milliseconds_of(request.collective_time_limit);
  return options;
}

}  // namespace

// Until the flags are read and agreed on, messages travel with the defaults.
PretrainStart::PretrainStart(Environment& environment)
    : environment_(environment),
      flags_(pretrain_flags(request_)),
      comm_(make_mpi_communicator(environment, {.check = false, .time_limit = environment.start_limit()})),
      topology_(discover_topology(environment)),
      ranks_(*comm_, topology_.host) {}

void PretrainStart::read(const std::vector<std::string>& arguments) {
  arguments_ = arguments;
  // Before the flags: another build may know others.
  ranks_.require("builds of the program", build_identity());
  together(*comm_, [&] {
    flags_.parse(arguments);
    request_.options.validate(comm_->size());
    contrast_ = resolve_contrast(request_.options);
    if (contrast_.has_index() && !request_.bank.empty()) {
      throw UsageError("--bank gives rows that --bank-kind index would make anew before the first step; leave it out.");
    }
  });
  ranks_.require("settings", flags_.ini());
  ranks_.require("settings", request_.dry_run ? "--dry-run" : "");
  if (request_.quiet) output_.keep_quiet();
}

void PretrainStart::place() {
  CommunicatorOptions restoring;
  restoring.time_limit = kRestoreTimeLimit;
  restoring_ = make_mpi_communicator(environment_, restoring);
  on_rank_0(*restoring_, [&] {
    prepare_images(request_.options.data);
    if (!request_.options.eval_data.empty()) prepare_images({request_.options.eval_data});
    return std::string();
  });
  std::string data;
  // Where no index can be kept, each rank makes its own, and some take longer.
  together(*restoring_, [&] {
    place_.device = compute_device(topology_, request_.options.device);
    place_.precision = choose_precision(request_.options.precision, place_.device);
    std::function<void(const std::string&)> tell;
    if (!request_.quiet) tell = warn;
    data_ = load_pretrain_data(request_.options, contrast_, tell);
    data = data_text(data_);
    if (contrast_.has_rows_of_samples()) request_.options.bank_rows = data_.train->size();
    // Else the bank is there already, or fill_bank() asks again.
    const bool begins = request_.resume == kResumeNever && request_.bank.empty();
    if (begins) require_samples_for_rows(request_.options, data_.train->size());
    require_samples_to_mine(contrast_, data_.train->size());
    require_normalization(request_.options.normalization, data_.train->channels());
    PretrainOptions asked = request_.options;
    // A run that goes on needs no weights from elsewhere, and their file may be gone.
    if (request_.resume != kResumeNever) asked.init = {};
    const auto backbone = check_backbone(asked, contrast_, data_.train->channels(), data_.train->view_size(), *comm_);
    sizes_ = {comm_->size(), backbone->feature_width(),
              run_memory(request_.options, contrast_, place_, data_, *backbone, comm_->size())};
  });
  require_host_memory(*comm_, ranks_.hosts(), sizes_.memory, place_, host_memory());
  // A folder that another host has differently would train another run there.
  ranks_.require("data", data);
  // "auto" may mean different things on different hosts; what it came to is part of the configuration.
  request_.options.precision = place_.precision;
  ranks_.require("precision", name_of(place_.precision));
  // Collective, so every rank asks, whatever --threads says; the cores that it leaves over are free for the bank.
  const ThreadBudget allowed = thread_budget(*comm_);
  const int budget = allowed.threads;
  threads_ = request_.options.threads > 0 ? static_cast<int>(request_.options.threads) : budget;
  free_threads_ = std::max(0, budget - threads_);
  // Of a run on a GPU one thread is at work.
  const int at_work = place_.device.is_cpu() ? threads_ : 1;
  loader_threads_ = std::max(1, budget - at_work);
  at::set_num_threads(threads_);
  choose_gpu_arithmetic(request_.options.tf32, request_.options.cudnn_benchmark);
  if (!speaks()) return;
  if (!allowed.remark.empty() && request_.options.threads == 0) output_.warn(allowed.remark);
  for (const std::string& warning : contrast_warnings(request_.options, contrast_)) output_.warn(warning);
}

void PretrainStart::describe() {
  const std::vector<std::string> remarks = check_start(*restoring_, files_, request_, flags_, flags_.ini());
  if (!speaks()) return;
  // The settings are a file for --config, and what else there is to say are remarks in it.
  std::ostringstream summary;
  for (const std::string& remark : remarks) summary << remark << "\n";
  print_remarks(summary);
  print_dry_run(request_.options, contrast_, place_, data_, sizes_, summary);
  std::cout << flags_.ini();
  std::istringstream lines(summary.str());
  for (std::string line; std::getline(lines, line);) std::cout << (line.empty() ? "#" : "# ") << line << "\n";
  std::cout << std::flush;
}

TermPolicy PretrainStart::term_policy() const {
  if (!request_.saves_on_term) return {};
  return {true, milliseconds_of(request_.term_grace)};
}

StartPoint PretrainStart::find() {
  config_ = flags_.ini();
  // Of this machine, not of the run: the configuration keeps what was asked for.
  if (request_.options.bank_threads < 0) request_.options.bank_threads = free_threads_;
  if (request_.options.loader_threads < 0) request_.options.loader_threads = loader_threads_;
  StartPoint point = find_start(*restoring_, files_, request_, flags_, config_);
  if (!speaks()) return point;
  for (const std::string& remark : point.remarks) output_.warn(remark);
  const std::string forgotten = forgotten_tasks(slurm_, comm_->size(), is_started_by_launcher());
  if (!forgotten.empty()) output_.warn(forgotten);
  return point;
}

PretrainSummary PretrainStart::train(const StartPoint& point, RunSignals& requests) {
  const TrainingCommunicator comm(environment_, place_.device, communication(request_));
  point.lock->when_lost([&requests](const std::string& sentence) {
    std::cerr << ("negatron: " + sentence + "\n");
    requests.stop.store(true);
  });
  open_record(point);
  if (speaks()) print_start(comm.get().transport(), point);
  PretrainJob job;
  job.run_directory = point.run_directory;
  job.config = config_;
  job.version = version_line();
  job.host = &comm.host();
  job.restoring = restoring_.get();
  job.files = &files_;
  job.requests = &requests;
  if (slurm_) job.start = start_metrics(slurm_, point.resume ? point.resume->manifest.step : 0, comm_->size());
  job.resume = point.resume;
  job.bank = point.bank;
  job.convert_bank = request_.convert_bank;
  job.out = &output_.all();
  job.progress = output_.progress(detect_display());
  try {
    return pretrain(request_.options, contrast_, place_, data_, comm.get(), job);
  } catch (const SnapshotError& error) {
    // What a run should start from does not fit: all ranks hold the same sentence.
    throw UsageError(error.what());
  }
}

void PretrainStart::open_record(const StartPoint& point) {
  on_rank_0(*comm_, [&]() -> std::string {
    RunStart start;
    start.step = point.resume ? point.resume->manifest.step : 0;
    start.hosts = ranks_.hosts();
    start.device = place_.device.str();
    start.precision = name_of(place_.precision);
    start.command = {"pretrain"};
    start.slurm = slurm_;
    start.command.insert(start.command.end(), arguments_.begin(), arguments_.end());
    // From here on it is a run, which waits for nobody who reads what it says.
    standard_output().wait_for_nobody();
    standard_error().wait_for_nobody();
    output_.open(point.run_directory / "log", start_heading(start));
    record_start(point.run_directory / "starts.jsonl", start,
                 [this](const std::string& sentence) { output_.warn(sentence); });
    return {};
  });
}

void PretrainStart::print_remarks(std::ostream& out) const {
  for (const std::string& remark : data_.remarks) out << remark << "\n";
  out << std::flush;
}

void PretrainStart::print_start(std::string_view transport, const StartPoint& point) {
  output_.all() << "negatron pretrain: " << comm_->size() << (comm_->size() == 1 ? " rank" : " ranks") << " on "
                << place_.device << " (" << transport << "), " << threads_ << (threads_ == 1 ? " thread" : " threads")
                << " each, " << name_of(place_.precision) << ", " << data_.train->size()
                << (has_features() ? " training samples of " + std::to_string(data_.train->channels()) + " features"
                                   : std::string(" training images"))
                << ", run directory " << point.run_directory.string() << "\n";
  const std::vector<std::string>& hosts = ranks_.hosts();
  const bool several = std::any_of(hosts.begin(), hosts.end(), [&](auto& host) { return host != hosts[0]; });
  if (several) output_.all() << ranks_by_host(hosts) << "\n";
  if (slurm_) output_.all() << text_of(slurm_) << "\n";
  print_remarks(output_.all());
}

}  // namespace negatron
