#include "runtime/metrics/metrics_writer.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {

namespace {

// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

constexpr off_t kSearchBlock = 4096;
constexpr mode_t kFileMode = 0666;

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw std::runtime_error("Metrics file '" + path.string() + "' cannot be " + what + ": " + std::strerror(errno) +
                           ".");
}

/// Bytes up to and with the last newline.
off_t whole_lines(int file, const std::filesystem::path& path) {
  off_t end = lseek(file, 0, SEEK_END);
  char block[kSearchBlock];
  while (end > 0) {
    const off_t begin = end > kSearchBlock ? end - kSearchBlock : 0;
    const ssize_t got = pread(file, block, static_cast<std::size_t>(end - begin), begin);
    if (got != end - begin) fail(path, "read");
    for (ssize_t i = got; i > 0; --i) {
      if (block[i - 1] == '\n') return begin + i;
    }
    end = begin;
  }
  return 0;
}

/// Names of what belongs together are joined by a dot, as pandas.json_normalize() joins them.
void add_phases(Json& line, const StepMetrics& metrics) {
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    line[std::string("step_ms.") + name_of(static_cast<Phase>(i))] = metrics.phases[i];
  }
  line["step_ms.total"] = metrics.step_milliseconds;
}

void add_traffic(Json& line, const StepMetrics& metrics) {
  for (const auto& [operation, traffic] : metrics.traffic) {
    line["bytes." + operation + ".sent"] = traffic.bytes_sent;
    line["bytes." + operation + ".received"] = traffic.bytes_received;
  }
}

std::string with_time(Json line, double time) {
  line["time"] = time;
  return json_text(line);
}

}  // namespace

MetricsWriter::MetricsWriter(const std::filesystem::path& path, Clock clock)
    : path_(path),
      clock_(std::move(clock)),
      file_(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode)) {
  if (file_ < 0) fail(path_, "opened for writing");
  try {
    // A run that was killed may have left half a line, to which the next line would be joined.
    if (ftruncate(file_, whole_lines(file_, path_)) != 0) fail(path_, "cut to whole lines");
  } catch (...) {
    close(file_);
    throw;
  }
}

MetricsWriter::~MetricsWriter() {
  close(file_);
}

void MetricsWriter::write(const StepMetrics& metrics) {
  Json line = {{"step", metrics.step},
               {"epoch", metrics.epoch},
               {"loss", metrics.loss},
               {"lr", metrics.learning_rate},
               {"images_per_second", metrics.images_per_second}};
  add_phases(line, metrics);
  add_traffic(line, metrics);
  line.update(Json{{"staged_bytes", staged_bytes(metrics.traffic)},
                   {"positive_similarity", metrics.positive_similarity},
                   {"negative_similarity", metrics.negative_similarity},
                   {"proxy_accuracy", metrics.proxy_accuracy},
                   {"bank_fill", metrics.bank_fill},
                   {"bank_age", metrics.bank_age},
                   {"momentum", metrics.momentum},
                   {"temperature", metrics.temperature},
                   {"skipped_steps", metrics.skipped_steps}});
  for (const auto& [name, value] : metrics.method) line[name] = value;
  append(with_time(std::move(line), clock_()));
}

void MetricsWriter::write(const EvaluationMetrics& metrics) {
  Json line = {{"event", "evaluation"},
               {"subject", metrics.subject},
               {"step", metrics.step},
               {"epoch", metrics.epoch},
               {"knn", metrics.knn},
               {"alignment", metrics.alignment},
               {"uniformity", metrics.uniformity},
               {"seconds", metrics.seconds},
               {"staged_bytes", metrics.staged_bytes}};
  append(with_time(std::move(line), clock_()));
}

void MetricsWriter::write(const SnapshotMetrics& metrics) {
  using Outcome = SnapshotMetrics::Outcome;
  const char* outcome = metrics.outcome == Outcome::kCommitted ? "committed"
                        : metrics.outcome == Outcome::kFailed  ? "failed"
                                                               : "late";
  Json line = {{"event", "snapshot"}, {"step", metrics.step}, {"outcome", outcome}};
  if (metrics.outcome == Outcome::kCommitted) {
    line["snapshot_step"] = metrics.step;
    line["snapshot_seconds"] = metrics.seconds;
    line["snapshot_bytes"] = metrics.bytes;
  }
  if (!metrics.problem.empty()) line["problem"] = metrics.problem;
  append(with_time(std::move(line), clock_()));
}

void MetricsWriter::write(const ResumeMetrics& metrics) {
  Json line = {{"event", "resume"}, {"step", metrics.step}, {"ranks", metrics.ranks}, {"snapshot", metrics.path}};
  append(with_time(std::move(line), clock_()));
}

double MetricsWriter::wall_time() {
  constexpr double kMillisecondsPerSecond = 1000.0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) /
         kMillisecondsPerSecond;
}

void MetricsWriter::append(const std::string& line) {
  const std::string text = line + '\n';
  std::size_t done = 0;
  // One write in practice; more only after a signal or at the end of the disk.
  while (done < text.size()) {
    const ssize_t written = ::write(file_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, "written");
    done += static_cast<std::size_t>(written);
  }
}

}  // namespace negatron
