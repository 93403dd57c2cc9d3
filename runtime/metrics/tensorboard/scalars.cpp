#include "runtime/metrics/tensorboard/scalars.h"

namespace negatron {
namespace {

/// "hard_bin_0.3" counts rows with scores from 0.3 on, below the next bin's (samplers/contrast/hard_set_report.h).
const std::string kHardBin = "hard_bin_";
constexpr double kBinWidth = 0.1;

bool is_bin(const std::string& name) {
  return name.rfind(kHardBin, 0) == 0;
}

}  // namespace

EventWriter::Scalars scalars_of(const StepMetrics& metrics) {
  EventWriter::Scalars scalars = {{"train/loss", metrics.loss},
                                  {"train/lr", metrics.learning_rate},
                                  {"train/momentum", metrics.momentum},
                                  {"train/temperature", metrics.temperature},
                                  {"train/skipped_steps", static_cast<double>(metrics.skipped_steps)},
                                  {"train/images_per_second", metrics.images_per_second},
                                  {"similarity/positive", metrics.positive_similarity},
                                  {"similarity/negative", metrics.negative_similarity},
                                  {"similarity/proxy_accuracy", metrics.proxy_accuracy},
                                  {"bank/fill", metrics.bank_fill},
                                  {"bank/age", metrics.bank_age}};
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    scalars.emplace_back(std::string("step_ms/") + name_of(static_cast<Phase>(i)), metrics.phases[i]);
  }
  scalars.emplace_back("step_ms/total", metrics.step_milliseconds);
  for (const auto& [operation, traffic] : metrics.traffic) {
    scalars.emplace_back("bytes/" + operation + "_sent", static_cast<double>(traffic.bytes_sent));
    scalars.emplace_back("bytes/" + operation + "_received", static_cast<double>(traffic.bytes_received));
  }
  for (const auto& [name, value] : metrics.method) {
    if (!is_bin(name)) scalars.emplace_back("method/" + name, value);
  }
  return scalars;
}

EventWriter::Scalars scalars_of(const EvaluationMetrics& metrics) {
  const std::string of = metrics.subject == "encoder" ? "" : ", " + metrics.subject;
  return {{"evaluation/knn" + of, metrics.knn},
          {"evaluation/alignment" + of, metrics.alignment},
          {"evaluation/uniformity" + of, metrics.uniformity}};
}

std::optional<NamedHistogram> hard_scores_of(const StepMetrics& metrics) {
  NamedHistogram histogram{"bank/hard_scores", 0.0, {}, {}};
  // Their names sort as their scores do.
  for (const auto& [name, count] : metrics.method) {
    if (!is_bin(name)) continue;
    const double low = std::stod(name.substr(kHardBin.size()));
    if (histogram.ends.empty()) histogram.begin = low;
    histogram.ends.push_back(low + kBinWidth);
    histogram.counts.push_back(count);
  }
  if (histogram.ends.empty()) return std::nullopt;
  return histogram;
}

std::optional<NamedHistogram> ages_of(const StepMetrics& metrics) {
  constexpr std::int64_t kMostBuckets = 50;
  if (metrics.rows_by_age.empty()) return std::nullopt;
  const std::int64_t youngest = metrics.rows_by_age.begin()->first;
  const std::int64_t oldest = metrics.rows_by_age.rbegin()->first;
  // Example: ages 1 to 120 are 40 buckets of 3 steps: 1 to 3, 4 to 6, ... Ages that come in fours, 0, 4, ..., 240, are
  // 31 buckets of 8.
  const std::int64_t together = metrics.ages_together;
  const std::int64_t width = ((oldest - youngest) / together / kMostBuckets + 1) * together;
  NamedHistogram histogram{"bank/ages", static_cast<double>(youngest), {}, {}};
  for (std::int64_t end = youngest + width; end - width <= oldest; end += width) {
    histogram.ends.push_back(static_cast<double>(end));
    histogram.counts.push_back(0.0);
  }
  for (const auto& [age, rows] : metrics.rows_by_age) {
    histogram.counts[static_cast<std::size_t>((age - youngest) / width)] += static_cast<double>(rows);
  }
  return histogram;
}

}  // namespace negatron
