#include "runtime/reports/report_page.h"

#include <fstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::TemporaryDirectory;

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

std::string refusal(const std::filesystem::path& run) {
  try {
    read_run_record(run);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing";
}

/// The runs that a page holds, as its script reads them.
nlohmann::json data_of(const std::string& page) {
  const std::string begin = "id=\"data\">";
  const std::size_t from = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

constexpr const char* kMetrics =
    "{\"event\":\"evaluation\",\"subject\":\"raw pixels\",\"step\":0,\"knn\":0.5,\"alignment\":null}\n"
    "{\"step\":0,\"epoch\":0,\"loss\":4.0,\"step_ms\":{\"total\":12.5},\"proxy_accuracy\":null}\n"
    "{\"step\":1,\"epoch\":0,\"loss\":2.0,\"step_ms\":{\"total\":10.5},\"proxy_accuracy\":0.25}\n"
    "{\"event\":\"evaluation\",\"subject\":\"encoder\",\"step\":2,\"knn\":0.75,\"alignment\":0.1}\n"
    "{\"step\":2,\"epoch\":0,\"loss\":1";

TEST(RunRecord, HoldsWhatARunThatStillWritesHasWritten) {
  const TemporaryDirectory directory;
  write(directory / "run" / "metrics.jsonl", kMetrics);
  write(directory / "run" / "config.ini", "# Run\nseed = 3\n# bank = \nviews = a = b\n");
  const RunRecord run = read_run_record(directory / "run");
  EXPECT_EQ(run.steps, 2);
  EXPECT_EQ(run.curves.at("loss").mean_of_last(2), 3.0);
  EXPECT_EQ(run.curves.at("step_ms.total").points().size(), 2U);
  EXPECT_EQ(run.curves.at("proxy_accuracy").points().size(), 1U);
  EXPECT_EQ(run.curves.count("epoch"), 0U);
  ASSERT_EQ(run.evaluations.size(), 2U);
  EXPECT_EQ(run.evaluations[1].subject, "encoder");
  EXPECT_EQ(run.evaluations[1].knn, 0.75);
  EXPECT_EQ(run.settings, (std::vector<std::pair<std::string, std::string>>{{"seed", "3"}, {"views", "a = b"}}));
}

TEST(RunRecord, SaysWhatIsNoRun) {
  const TemporaryDirectory directory;
  EXPECT_NE(refusal(directory / "absent").find("absent' has no metrics.jsonl"), std::string::npos);
  write(directory / "run" / "metrics.jsonl", "{\"step\":0}\nnot JSON\n");
  EXPECT_NE(refusal(directory / "run").find("metrics.jsonl, line 2 is not a JSON object"), std::string::npos);
  write(directory / "run" / "metrics.jsonl", "7\n");
  EXPECT_NE(refusal(directory / "run").find("line 1"), std::string::npos);
}

TEST(ReportPage, HoldsEveryRunAndOnlySettingsThatDiffer) {
  RunRecord first;
  first.name = "runs/a</script><b>";
  first.settings = {{"run-dir", "runs/a"}, {"seed", "0"}, {"tau", "0.2"}};
  first.curves["loss"].add(0, 1.5);
  first.pictures = {{{3, 1, 1.0, "M"}, {{4, 1, 0.5, "Ma"}, {5, 0, 0.25, std::string("Man\0", 4)}}}};
  RunRecord second = first;
  second.name = "runs/b\xff";
  second.settings = {{"run-dir", "runs/b"}, {"seed", "1"}, {"tau", "0.2"}, {"sampler", "mochi"}};
  const std::string page = report_page({first, second});
  EXPECT_EQ(page.rfind(kReportMark, 0), 0U);
  EXPECT_EQ(page.find("{{runs}}"), std::string::npos);
  for (const char* of_a_network : {"http:", "https:", "src=\"", "<link"}) {
    const std::size_t at = page.find(of_a_network);
    EXPECT_TRUE(at == std::string::npos || page.compare(at, 27, "http://www.w3.org/2000/svg\"") == 0) << of_a_network;
  }
  const nlohmann::json data = data_of(page);
  ASSERT_EQ(data["runs"].size(), 2U);
  EXPECT_EQ(data["runs"][0]["name"], first.name);
  EXPECT_EQ(data["runs"][0]["curves"]["loss"], nlohmann::json::parse("[[0.0, 1.5]]"));
  // RFC 4648, and a byte of zeros behind a whole group.
  const nlohmann::json& pictures = data["runs"][0]["pictures"];
  EXPECT_EQ(pictures[0]["sample"]["png"], "TQ==");
  EXPECT_EQ(pictures[0]["near"][0]["png"], "TWE=");
  EXPECT_EQ(pictures[0]["near"][1]["png"], "TWFuAA==");
  EXPECT_EQ(data["differences"], nlohmann::json::parse(R"([["seed", "0", "1"], ["sampler", "", "mochi"]])"));
}

}  // namespace
}  // namespace negatron
