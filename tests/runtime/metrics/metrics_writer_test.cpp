#include "runtime/metrics/metrics_writer.h"

#include <csignal>
#include <ctime>
#include <limits>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(read_bytes(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(MetricsWriter, WritesEveryKeyWithAllDigits) {
  const TemporaryDirectory folder;
  StepMetrics metrics;
  metrics.step = 12;
  metrics.epoch = 3;
  metrics.loss = 8.1234567890123457;
  metrics.learning_rate = 0.1;
  metrics.images_per_second = 1234.5;
  metrics.phases = {1, 2, 3, 4, 5, 6};
  metrics.step_milliseconds = 21.5;
  metrics.traffic["all_gather"] = {2, 100, 200, 30};
  metrics.traffic["all_reduce"] = {1, 10, 10, 4};
  metrics.positive_similarity = 0.9;
  metrics.negative_similarity = std::numeric_limits<double>::quiet_NaN();
  metrics.temperature = std::numeric_limits<double>::infinity();
  metrics.bank_fill = 1.0;
  metrics.skipped_steps = 2;
  {
    MetricsWriter writer(folder / "metrics.jsonl", {}, [] { return 1795892623.125; });
    writer.write(metrics);
    writer.write(EvaluationMetrics{.subject = "raw pixels", .step = 12, .epoch = 3, .knn = 0.818, .staged_bytes = 7});
  }
  const auto lines = lines_of(folder / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 2U);
  const nlohmann::json& step = lines[0];
  EXPECT_EQ(step.at("step"), 12);
  EXPECT_EQ(step.at("epoch"), 3);
  EXPECT_EQ(step.at("loss").get<double>(), metrics.loss);
  EXPECT_EQ(step.at("lr").get<double>(), 0.1);
  EXPECT_EQ(step.at("images_per_second"), 1234.5);
  int expected = 0;
  for (const char* phase : {"data", "forward", "bank", "backward", "exchange", "optimizer"}) {
    EXPECT_EQ(step.at(std::string("step_ms.") + phase), ++expected);
  }
  EXPECT_EQ(step.at("step_ms.total"), 21.5);
  EXPECT_EQ(step.at("bytes.all_gather.sent"), 100);
  EXPECT_EQ(step.at("bytes.all_gather.received"), 200);
  EXPECT_EQ(step.at("bytes.all_reduce.sent"), 10);
  EXPECT_EQ(step.at("staged_bytes"), 34);
  EXPECT_EQ(step.at("positive_similarity"), 0.9);
  EXPECT_TRUE(step.at("negative_similarity").is_null());
  EXPECT_TRUE(step.at("temperature").is_null());
  EXPECT_EQ(step.at("skipped_steps"), 2);
  for (const char* key : {"proxy_accuracy", "bank_fill", "bank_age", "momentum"})
    EXPECT_TRUE(step.contains(key)) << key;
  EXPECT_EQ(lines[1].at("event"), "evaluation");
  EXPECT_EQ(lines[1].at("subject"), "raw pixels");
  EXPECT_EQ(lines[1].at("knn"), 0.818);
  EXPECT_EQ(lines[1].at("staged_bytes"), 7);
  for (const nlohmann::json& line : lines) EXPECT_EQ(line.at("time").get<double>(), 1795892623.125);
}

TEST(MetricsWriter, EveryLineIsFlatAndSaysWhen) {
  const TemporaryDirectory folder;
  StepMetrics metrics;
  metrics.traffic["all_gather"] = {2, 100, 200, 30};
  metrics.method["clamped"] = 0.25;
  const double before = static_cast<double>(std::time(nullptr));
  {
    MetricsWriter writer(folder / "metrics.jsonl");
    writer.write(metrics);
    writer.write(EvaluationMetrics{});
    writer.write(SnapshotMetrics{});
    writer.write(ResumeMetrics{});
    writer.write(StartMetrics{});
  }
  const auto lines = lines_of(folder / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 5U);
  for (const nlohmann::json& line : lines) {
    for (const auto& [name, value] : line.items()) EXPECT_FALSE(value.is_structured()) << name;
    EXPECT_GE(line.at("time").get<double>(), before);
    EXPECT_LT(line.at("time").get<double>(), before + 3600.0);
  }
}

TEST(MetricsWriter, GoesOnAfterTheLastWholeLine) {
  const TemporaryDirectory folder;
  const std::string whole = "{\"step\":0}\n{\"step\":1}\n";
  // The half line is longer than one block of the search for its start.
  for (const std::string& tail : {std::string(), std::string("{\"st"), "{\"x\":\"" + std::string(10000, 'y')}) {
    write_bytes(folder / "metrics.jsonl", whole + tail);
    MetricsWriter(folder / "metrics.jsonl").write(StepMetrics{.step = 2});
    const auto lines = lines_of(folder / "metrics.jsonl");
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[2].at("step"), 2);
  }
  write_bytes(folder / "metrics.jsonl", "{\"st");
  MetricsWriter(folder / "metrics.jsonl").write(StepMetrics{.step = 7});
  ASSERT_EQ(lines_of(folder / "metrics.jsonl").size(), 1U);
}

TEST(MetricsWriter, LeavesWholeLinesWhenKilled) {
  const TemporaryDirectory folder;
  const auto path = folder / "metrics.jsonl";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    MetricsWriter writer(path);
    for (StepMetrics metrics;; ++metrics.step) writer.write(metrics);
  }
  while (!std::filesystem::exists(path) || std::filesystem::file_size(path) < 100000) usleep(1000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const auto lines = lines_of(path);
  ASSERT_GT(lines.size(), 100U);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].at("step"), i);
}

TEST(MetricsWriter, SaysWhichFileCannotBeWrittenAndGoesOn) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "metrics.jsonl");
  std::vector<std::string> warnings;
  MetricsWriter writer(folder / "metrics.jsonl", [&](const std::string& said) { warnings.push_back(said); });
  writer.write(StepMetrics{.step = 0});
  writer.write(EvaluationMetrics{});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("metrics.jsonl' cannot be written: Is a directory"), std::string::npos) << warnings[0];
  EXPECT_NE(writer.missing().find("misses 2 lines"), std::string::npos) << writer.missing();
  std::filesystem::remove(folder / "metrics.jsonl");
  writer.write(StepMetrics{.step = 1});
  ASSERT_EQ(lines_of(folder / "metrics.jsonl").size(), 1U);
  EXPECT_EQ(lines_of(folder / "metrics.jsonl")[0].at("step"), 1);
}

}  // namespace
}  // namespace negatron::testing
