#include "runtime/metrics/metrics_writer.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {

namespace {

// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

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

MetricsWriter::MetricsWriter(const std::filesystem::path& path, AppendedFile::Warn warn, Clock clock)
    : clock_(std::move(clock)), file_(path, {}, std::move(warn)) {}

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
  file_.append(with_time(std::move(line), clock_()) + "\n");
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
  file_.append(with_time(std::move(line), clock_()) + "\n");
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
  file_.append(with_time(std::move(line), clock_()) + "\n");
}

void MetricsWriter::write(const RefreshMetrics& metrics) {
  Json line = {{"event", "refresh"}, {"step", metrics.step}};
  for (const auto& [name, value] : {std::pair{"index_seconds", metrics.index_seconds},
                                    {"mining_seconds", metrics.mining_seconds},
                                    {"order_seconds", metrics.order_seconds},
                                    {"batch_similar", metrics.batch_similar},
                                    {"batch_same_label", metrics.batch_same_label}}) {
    if (!std::isnan(value)) line[name] = value;
  }
  file_.append(with_time(std::move(line), clock_()) + "\n");
}

void MetricsWriter::write(const ResumeMetrics& metrics) {
  Json line = {{"event", "resume"}, {"step", metrics.step}, {"ranks", metrics.ranks}, {"snapshot", metrics.path}};
  file_.append(with_time(std::move(line), clock_()) + "\n");
}

void MetricsWriter::write(const StartMetrics& metrics) {
  Json line = {{"event", "start"},         {"step", metrics.step},         {"ranks", metrics.ranks},
               {"slurm_job", metrics.job}, {"slurm_nodes", metrics.nodes}, {"slurm_restarts", metrics.restarts}};
  file_.append(with_time(std::move(line), clock_()) + "\n");
}

double MetricsWriter::wall_time() {
  constexpr double kMillisecondsPerSecond = 1000.0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) /
         kMillisecondsPerSecond;
}

}  // namespace negatron
