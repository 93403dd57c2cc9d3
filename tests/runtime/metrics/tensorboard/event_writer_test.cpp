#include "runtime/metrics/tensorboard/event_writer.h"

#include <limits>

#include <gtest/gtest.h>

#include "runtime/metrics/tensorboard/scalars.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/metrics/tensorboard/told_events.h"
#include "tests/support/python_script.h"

namespace negatron {
namespace {

using testing::TemporaryDirectory;

TEST(RecordFile, ChecksumsAreCrc32cAsTheMaskLeavesThem) {
  // RFC 3720, B.4: 32 bytes of zeros have CRC-32C 0x8a9136aa; "123456789" has 0xe3069283 in every table of CRCs.
  const auto masked = [](std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; };
  EXPECT_EQ(masked_crc32c("123456789"), masked(0xe3069283U));
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')), masked(0x8a9136aaU));
}

TEST(EventWriter, TellsWhatCountsFromHereOnAndLeavesOutWhatIsNoNumber) {
  const TemporaryDirectory directory;
  EventWriter writer(directory / "tensorboard", 40);
  writer.write(40, {{"loss", 1.5}, {"proxy_accuracy", std::numeric_limits<double>::quiet_NaN()}});
  writer.write(41, {{"proxy_accuracy", std::numeric_limits<double>::quiet_NaN()}});
  const std::vector<testing::ToldEvent> told = testing::told_events(writer.path());
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].version, "brain.Event:2");
  EXPECT_TRUE(told[1].starts);
  EXPECT_EQ(told[1].step, 40);
  EXPECT_FALSE(told[2].starts);
  EXPECT_EQ(told[2].scalars, (std::vector<std::pair<std::string, float>>{{"loss", 1.5F}}));
  EXPECT_GT(told[2].time, 1.7e9);
}

TEST(EventWriter, AStartThatResumesMakesAnotherFile) {
  const TemporaryDirectory directory;
  const EventWriter first(directory / "tensorboard", 0);
  const EventWriter second(directory / "tensorboard", 3);
  EXPECT_LT(first.path().filename(), second.path().filename());
}

TEST(EventWriter, ScoresOfHardSetsAreAHistogram) {
  StepMetrics metrics;
  EXPECT_FALSE(hard_scores_of(metrics).has_value());
  metrics.method = {{"clamped", 0.5}, {"hard_bin_0.0", 3.0}, {"hard_bin_0.1", 5.0}, {"hard_score_first", 0.1}};
  std::vector<std::string> names;
  for (const auto& [name, value] : scalars_of(metrics)) {
    if (name.rfind("method/", 0) == 0) names.push_back(name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"method/clamped", "method/hard_score_first"}));
  const TemporaryDirectory directory;
  EventWriter writer(directory / "tensorboard", 0);
  writer.write_histogram(7, *hard_scores_of(metrics));
  EXPECT_EQ(testing::told_events(writer.path()).back().buckets,
            (std::vector<std::pair<double, double>>{{0.1, 3.0}, {0.2, 5.0}}));
}

TEST(EventWriter, AgesOfRowsAreAHistogramOfFewBuckets) {
  StepMetrics metrics;
  EXPECT_FALSE(ages_of(metrics).has_value());
  metrics.rows_by_age = {{1, 256}, {2, 256}, {3, 100}};
  const NamedHistogram few = *ages_of(metrics);
  EXPECT_EQ(few.begin, 1.0);
  EXPECT_EQ(few.ends, (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(few.counts, (std::vector<double>{256, 256, 100}));
  // Ages 10 and more apart, counted by tens.
  metrics.rows_by_age = {{0, 4}, {10, 5}, {490, 6}};
  metrics.ages_together = 10;
  const NamedHistogram tens = *ages_of(metrics);
  ASSERT_EQ(tens.ends.size(), 50U);
  EXPECT_EQ(tens.ends.front(), 10.0);
  EXPECT_EQ(tens.counts[1], 5.0);
  EXPECT_EQ(tens.counts.back(), 6.0);
  metrics.ages_together = 1;
  metrics.rows_by_age.clear();
  for (std::int64_t age = 1; age <= 120; ++age) metrics.rows_by_age[age] = 1;
  const NamedHistogram many = *ages_of(metrics);
  EXPECT_EQ(many.ends.size(), 40U);
  EXPECT_EQ(many.counts, std::vector<double>(40, 3.0));
  EXPECT_EQ(many.ends.back(), 121.0);
}

TEST(EventWriter, TheRealTensorBoardReadsIt) {
  if (!testing::has_module("tensorboard")) GTEST_SKIP() << "needs tensorboard in " << NEGATRON_PYTHON;
  const TemporaryDirectory directory;
  {
    EventWriter writer(directory / "tensorboard", 0);
    for (int step = 0; step < 6; ++step) writer.write(step, {{"loss", 8.0 - step}, {"step_ms/total", 100.0 + step}});
  }
  // Of a run that lost steps 4 and 5.
  EventWriter writer(directory / "tensorboard", 4);
  writer.write(4, {{"loss", 0.25}});
  writer.write_image(4, {"hardest", "not looked into", 16, 32});
  writer.write_histogram(4, NamedHistogram{"scores", 0.0, {0.5, 1.0}, {3.0, 1.0}});
  const testing::ScriptEnd end = testing::run_script("read_events.py", (directory / "tensorboard").string());
  EXPECT_EQ(end.code, 0) << end.text;
}

}  // namespace
}  // namespace negatron
