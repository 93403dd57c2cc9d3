// What a snapshot of a large bank costs: one JSON line for each type of rows.
//   mpirun -n 2 save_bench [directory, default .] [rows over all ranks, default 1048576] [width, default 128]
//     [bytes of a block]
// Beside it, in the same run and in turn, the same bytes by plain write and fsync. Bandwidths are medians of all ranks
// together; a snapshot's time ends when it is durable, before older ones are removed. A step is a matrix product over
// the shard, an enqueue and the poll of the save.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>

#include "comm/mpi/environment.h"
#include "comm/mpi/mpi_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/snapshot_store.h"
#include "samplers/bank/random_rows.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kRepeats = 5;
constexpr int kQuietSteps = 60;
constexpr std::int64_t kKeysPerRank = 128;
constexpr std::int64_t kQueries = 64;
constexpr std::int64_t kScoredRows = 65536;
constexpr std::size_t kPlainBlock = 8 << 20;
constexpr double kMega = 1e6;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

double best(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

double over_ranks(Communicator& comm, double value, ReduceOp op) {
  const at::Tensor all = at::full({1}, value, at::kDouble);
  comm.all_reduce(all, op);
  return all.item<double>();
}

/// A line of /proc/self/status, in bytes.
double memory(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return 1024.0 * std::strtod(line.c_str() + name.size() + 1, nullptr);
  }
  return 0.0;
}

/// So that VmHWM counts from now.
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

void must(bool good, const char* doing) {
  if (good) return;
  std::perror(doing);
  std::exit(1);
}

/// Every rank writes and syncs a file of its shard's bytes.
double plain_seconds(Communicator& comm, const fs::path& path, const at::Tensor& rows, std::int64_t bytes) {
  comm.barrier();
  const auto begin = Clock::now();
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  must(file >= 0, "open");
  const auto* source = static_cast<const char*>(rows.const_data_ptr());
  for (std::int64_t left = bytes; left > 0;) {
    const std::size_t size = std::min({kPlainBlock, static_cast<std::size_t>(left), rows.nbytes()});
    const ssize_t written = ::write(file, source, size);
    must(written > 0, "write");
    left -= written;
  }
  must(::fsync(file) == 0 && ::close(file) == 0, "fsync");
  comm.barrier();
  const double seconds = seconds_since(begin);
  fs::remove(path);
  return seconds;
}

class Training {
 public:
  explicit Training(Bank& bank) : bank_(bank), rank_(bank.rank()), ranks_(bank.layout().ranks()) {
    queries_ = random_unit_rows(5, rank_ * kQueries, kQueries, bank.width()).to(at::kFloat);
    keys_ = random_unit_rows(6, rank_ * kKeysPerRank, kKeysPerRank, bank.width()).to(at::kFloat);
    ids_ = at::arange(kKeysPerRank, at::kLong);
  }

  /// One step, in seconds; ends with the poll of `store`.
  SaveReport step(Communicator& comm, SnapshotStore& store, std::vector<double>& seconds) {
    const auto begin = Clock::now();
    const at::Tensor& vectors = bank_.shard().rows.vectors;
    const std::int64_t rows = std::min(kScoredRows, vectors.size(0));
    const std::int64_t first = (step_ * rows) % std::max<std::int64_t>(1, vectors.size(0) - rows);
    score_ += queries_.to(vectors.scalar_type()).mm(vectors.narrow(0, first, rows).t()).sum().item<double>();
    bank_.enqueue(keys_, ids_, at::Tensor(), step_++, kKeysPerRank * ranks_);
    const SaveReport report = store.poll(comm);
    comm.barrier();
    seconds.push_back(seconds_since(begin));
    return report;
  }
  std::int64_t steps() const { return step_; }
  double score() const { return score_; }

 private:
  Bank& bank_;
  int rank_;
  int ranks_;
  at::Tensor queries_;
  at::Tensor keys_;
  at::Tensor ids_;
  std::int64_t step_ = 0;
  double score_ = 0.0;
};

struct Measured {
  std::vector<double> plain;
  std::vector<double> snapshot;
  std::vector<double> quiet_steps;
  std::vector<double> saving_steps;
  std::vector<double> behind_training;
  double extra_bytes = 0.0;
};

/// How long the writing threads of a rank, of which one runs at a time, spend in each stage.
class StageTimes {
 public:
  /// Returns whether `stage` is another one than the last.
  bool reach(std::string_view stage) {
    const auto now = Clock::now();
    const bool changed = stage != last_;
    // What follows the last stage of a save is not part of it.
    if (!last_.empty() && last_ != "prune") seconds_[last_] += std::chrono::duration<double>(now - since_).count();
    last_ = stage;
    since_ = now;
    return changed;
  }
  std::string text(int saves) const {
    std::string all;
    for (const auto& [stage, seconds] : seconds_) {
      char one[64];
      std::snprintf(one, sizeof one, "%s\"%s\": %.1f", all.empty() ? "" : ", ", stage.c_str(), 1e3 * seconds / saves);
      all += one;
    }
    return all;
  }

 private:
  std::map<std::string, double> seconds_;
  std::string last_;
  Clock::time_point since_;
};

void measure(Communicator& comm, const fs::path& directory, std::int64_t rows, std::int64_t width,
             std::int64_t block_bytes, at::ScalarType dtype) {
  PosixFileLayer files;
  std::atomic<double> committed_at = 0.0;
  SnapshotOptions options;
  if (block_bytes > 0) options.block_bytes = block_bytes;
  const auto clock_start = Clock::now();
  StageTimes stages;
  options.at_save_point = [&](std::string_view stage) {
    if (stages.reach(stage) && stage == "prune") committed_at = seconds_since(clock_start);
  };
  Bank bank({rows, width, dtype, at::kCPU, BankFill::kRandom, 3, kKeysPerRank * comm.size()}, comm.rank(), comm.size());
  SnapshotStore store(files, directory, options);
  Training training(bank);
  const TrainerState state{{{"weight", at::zeros({1000, 1000})}}, {}, {}};
  Measured measured;
  double bytes = 0.0;
  const auto must_commit = [&](const SaveReport& report) {
    if (report.state != SaveState::kCommitted) {
      std::fprintf(stderr, "%s\n", report.problem.c_str());
      std::exit(1);
    }
    bytes = static_cast<double>(report.bytes);
  };
  std::vector<double> ignored;
  training.step(comm, store, ignored);
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const std::int64_t shard_bytes =
        repeat == 0 ? bank.shard().rows.vectors.nbytes() : static_cast<std::int64_t>(bytes / comm.size());
    ::sync();
    measured.plain.push_back(plain_seconds(comm, directory / ("plain." + std::to_string(comm.rank())),
                                           bank.shard().rows.vectors, shard_bytes));
    ::sync();
    comm.barrier();
    forget_peak();
    const double before = memory("VmRSS");
    const double began = seconds_since(clock_start);
    store.start_save(comm, training.steps(), state, {{&bank}});
    must_commit(store.finish(comm));
    // Only rank 0 commits.
    measured.snapshot.push_back(over_ranks(comm, comm.rank() == 0 ? committed_at - began : 0.0, ReduceOp::kMax));
    measured.extra_bytes = std::max(measured.extra_bytes, memory("VmHWM") - before);
    training.step(comm, store, ignored);
  }
  for (int i = 0; i < kQuietSteps; ++i) training.step(comm, store, measured.quiet_steps);
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    ::sync();
    comm.barrier();
    forget_peak();
    const double before = memory("VmRSS");
    // Its copy of the trainer's state belongs to the first step.
    const auto begin = Clock::now();
    store.start_save(comm, training.steps(), state, {{&bank}});
    const double start = seconds_since(begin);
    const std::size_t first = measured.saving_steps.size();
    SaveReport report;
    do {
      report = training.step(comm, store, measured.saving_steps);
    } while (report.state == SaveState::kRunning);
    measured.saving_steps.at(first) += start;
    must_commit(report);
    measured.behind_training.push_back(report.seconds);
    measured.extra_bytes = std::max(measured.extra_bytes, memory("VmHWM") - before);
    for (int i = 0; i < kQuietSteps / kRepeats; ++i) training.step(comm, store, measured.quiet_steps);
  }
  const double extra = over_ranks(comm, measured.extra_bytes, ReduceOp::kMax);
  const double score = over_ranks(comm, training.score(), ReduceOp::kSum);
  if (comm.rank() != 0) return;
  // The first plain write had only the rows.
  measured.plain.erase(measured.plain.begin());
  const double plain = bytes / median(measured.plain) / kMega;
  const double snapshot = bytes / median(measured.snapshot) / kMega;
  const double quiet = median(measured.quiet_steps);
  double sum = 0.0;
  for (const double seconds : measured.saving_steps) sum += seconds;
  const double mean = sum / static_cast<double>(measured.saving_steps.size());
  std::printf(
      "{\"bench\": \"save\", \"dtype\": \"%s\", \"rows\": %lld, \"width\": %lld, \"ranks\": %d, \"bytes\": %.0f, "
      "\"plain_MB_per_s\": %.0f, \"snapshot_MB_per_s\": %.0f, \"of_plain\": %.2f, \"best_of_best_plain\": %.2f, "
      "\"step_ms\": %.2f, "
      "\"median_step_of_saves_ms\": %.2f, \"mean_step_of_saves_ms\": %.2f, \"longest_step_of_saves_ms\": %.2f, "
      "\"longest_quiet_step_ms\": %.2f, \"median_times_the_step\": %.2f, \"mean_times_the_step\": %.2f, "
      "\"steps_in_saves\": %zu, \"behind_training_s\": "
      "%.2f, "
      "\"peak_extra_MB_per_rank\": %.1f, \"ms_in_stages_of_rank_0\": {%s}, \"score\": %.3g}\n",
      at::toString(dtype), static_cast<long long>(rows), static_cast<long long>(width), comm.size(), bytes, plain,
      snapshot, snapshot / plain, best(measured.plain) / best(measured.snapshot), 1e3 * quiet,
      1e3 * median(measured.saving_steps), 1e3 * mean,
      1e3 * *std::max_element(measured.saving_steps.begin(), measured.saving_steps.end()),
      1e3 * *std::max_element(measured.quiet_steps.begin(), measured.quiet_steps.end()),
      median(measured.saving_steps) / quiet, mean / quiet, measured.saving_steps.size(),
      median(measured.behind_training), extra / kMega, stages.text(2 * kRepeats).c_str(), score);
  std::fflush(stdout);
}

}  // namespace
}  // namespace negatron::testing

int main(int argc, char** argv) {
  using namespace negatron;
  Environment environment(&argc, &argv);
  at::set_num_threads(1);
  const std::unique_ptr<Communicator> comm = make_mpi_communicator(environment, {});
  const std::filesystem::path parent = argc > 1 ? argv[1] : ".";
  const std::int64_t rows = argc > 2 ? std::atoll(argv[2]) : std::int64_t{1} << 20;
  const std::int64_t width = argc > 3 ? std::atoll(argv[3]) : 128;
  if (rows < 1 || width < 1) {
    std::fprintf(stderr, "usage: mpirun -n 2 save_bench [directory] [rows] [width] [bytes of a block]\n");
    return 2;
  }
  const std::int64_t block_bytes = argc > 4 ? std::atoll(argv[4]) : 0;
  const std::filesystem::path directory = parent / "negatron-save-bench";
  if (comm->rank() == 0) std::filesystem::create_directory(directory);
  comm->barrier();
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    testing::measure(*comm, directory, rows, width, block_bytes, dtype);
  }
  comm->barrier();
  if (comm->rank() == 0) std::filesystem::remove_all(directory);
  environment.finish();
  return 0;
}
