#include "runtime/metrics/cut_metrics.h"

#include <gtest/gtest.h>

#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

TEST(CutMetrics, KeepsWhatTheStepsUpToTheSnapshotWrote) {
  const TemporaryDirectory folder;
  const std::filesystem::path path = folder / "metrics.jsonl";
  const std::string kept =
      "{\"event\":\"evaluation\",\"step\":0,\"knn\":0.5}\n"
      "{\"step\":0,\"loss\":8.25}\n{\"step\":1,\"loss\":8.125}\n"
      "{\"event\":\"snapshot\",\"step\":2}\n{\"event\":\"start\",\"step\":2}\n";
  const std::string cut =
      "{\"event\":\"evaluation\",\"step\":2,\"knn\":0.6}\n"
      "{\"step\":2,\"loss\":8.0}\n{\"event\":\"snapshot\",\"step\":3}\n{\"event\":\"resume\",\"step\":3}\n{\"step\":3,";
  write_bytes(path, kept + cut);
  cut_metrics(path, 2);
  EXPECT_EQ(read_bytes(path), kept);
  cut_metrics(path, 2);
  EXPECT_EQ(read_bytes(path), kept);
  cut_metrics(path, 0);
  EXPECT_EQ(read_bytes(path), "");
}

TEST(CutMetrics, LinesOfOlderVersionsBecomeFlat) {
  const TemporaryDirectory folder;
  const std::filesystem::path path = folder / "metrics.jsonl";
  write_bytes(
      path,
      "{\"step\":0,\"step_ms\":{\"data\":1.5,\"total\":3.0},\"bytes\":{\"barrier\":{\"sent\":0,\"received\":8}},"
      "\"lr\":0.25}\n");
  cut_metrics(path, 1);
  EXPECT_EQ(read_bytes(path),
            "{\"step\":0,\"step_ms.data\":1.5,\"step_ms.total\":3.0,\"bytes.barrier.sent\":0,"
            "\"bytes.barrier.received\":8,\"lr\":0.25}\n");
}

TEST(CutMetrics, OfALinkCutsWhatItNames) {
  const TemporaryDirectory folder;
  write_bytes(folder / "real", "{\"step\":0}\n{\"step\":1}\n{\"event\":\"snapshot\",\"step\":1}\n{\"step\":2}\n");
  std::filesystem::create_symlink("real", folder / "metrics.jsonl");
  EXPECT_EQ(cut_metrics(folder / "metrics.jsonl", 1), "");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "metrics.jsonl"));
  EXPECT_EQ(read_bytes(folder / "real"), "{\"step\":0}\n{\"event\":\"snapshot\",\"step\":1}\n");
}

TEST(CutMetrics, NeedsNoSecondFileBesideTheFirst) {
  const TemporaryDirectory folder;
  // None can be made: a name that has something behind this one is too long.
  const std::filesystem::path path = folder / std::string(250, 'm');
  write_bytes(path, "{\"step\":0}\n{\"step\":1}\n{\"event\":\"snapshot\",\"step\":1}\n{\"step\":2}\n");
  EXPECT_EQ(cut_metrics(path, 1), "");
  EXPECT_EQ(read_bytes(path), "{\"step\":0}\n{\"event\":\"snapshot\",\"step\":1}\n");
}

TEST(CutMetrics, SaysWhatCannotBeCut) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "metrics.jsonl");
  EXPECT_NE(cut_metrics(folder / "metrics.jsonl", 7).find("could not be cut to its first 7 steps"), std::string::npos);
}

TEST(CutMetrics, WithoutAFileMakesNone) {
  const TemporaryDirectory folder;
  cut_metrics(folder / "metrics.jsonl", 5);
  EXPECT_FALSE(std::filesystem::exists(folder / "metrics.jsonl"));
}

}  // namespace
}  // namespace negatron::testing
