// What TensorBoard is told of a run is what metrics.jsonl says.

#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/data/decoding/decode_image.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/metrics/tensorboard/told_events.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

/// In the order of their names, as TensorBoard reads them.
std::vector<fs::path> event_files(const fs::path& run) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "tensorboard")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::pair<std::int64_t, float>> points(const fs::path& file, const std::string& name) {
  std::vector<std::pair<std::int64_t, float>> found;
  for (const ToldEvent& event : told_events(file)) {
    for (const auto& [tag, value] : event.scalars) {
      if (tag == name) found.emplace_back(event.step, value);
    }
  }
  return found;
}

TEST(EventsOfRuns, HoldTheLossesAndEvaluationsOfEachStart) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = resumed_options("info-nce");
  start.options.tensorboard = true;
  start.run_directory = folder / "run";
  run_first_part(start);
  start.resume = "auto";
  run(start);
  const std::vector<fs::path> files = event_files(start.run_directory);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(told_events(files[1])[1].step, kInterrupted);
  EXPECT_TRUE(told_events(files[1])[1].starts);
  auto losses = points(files[0], "train/loss");
  const auto later = points(files[1], "train/loss");
  losses.insert(losses.end(), later.begin(), later.end());
  const std::vector<double> expected = step_losses(start.run_directory);
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(losses[i], std::make_pair(static_cast<std::int64_t>(i), static_cast<float>(expected[i])));
  }
  EXPECT_FALSE(points(files[1], "evaluation/knn").empty());
  // The last word of a start that has saved: pictures of what is hardest to tell apart.
  for (const fs::path& file : files) {
    const ToldEvent last = told_events(file).back();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(last.png.data());
    const ImageHead head = read_image_head({bytes, last.png.size()}, "hardest");
    EXPECT_EQ(head.channels, 3);
    EXPECT_GT(head.size.width, head.size.height);
  }
  EXPECT_EQ(points(files[0], "evaluation/knn, raw pixels").size(), 1U);
}

TEST(EventsOfRuns, AreNotWrittenWhereNobodyWantsThem) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = resumed_options("info-nce");
  start.options.max_steps = 1;
  start.options.tensorboard = false;
  start.run_directory = folder / "run";
  run(start);
  EXPECT_FALSE(fs::exists(start.run_directory / "tensorboard"));
}

}  // namespace
}  // namespace negatron::testing
