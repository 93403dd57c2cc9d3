#include "tests/support/rank_listener.h"

#include <unistd.h>

namespace negatron::testing {
namespace {

std::string describe(const ::testing::TestPartResult& result) {
  std::string text;
  if (result.file_name() != nullptr) {
    text += std::string(result.file_name()) + ":" + std::to_string(result.line_number()) + ": ";
  }
  return text + (result.skipped() ? "skipped: " : "failed: ") + result.message();
}

}  // namespace

std::string rank_prefix(int rank, int size) {
  return "[rank " + std::to_string(rank) + "/" + std::to_string(size) + "] ";
}

void print_now(const std::string& prefix, const std::string& text) {
  const std::string line = prefix + text + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void RankListener::OnTestStart(const ::testing::TestInfo& test) {
  running_ = std::string(test.test_suite_name()) + "." + test.name();
}

void RankListener::OnTestPartResult(const ::testing::TestPartResult& result) {
  if (result.passed()) return;
  print_now(rank_prefix(verdicts_.rank(), verdicts_.size()), running_ + ": " + describe(result));
}

void RankListener::OnTestEnd(const ::testing::TestInfo& test) {
  const bool failed = test.result()->Failed();
  const bool skipped = test.result()->Skipped();
  const at::Tensor counts = at::tensor({failed ? 1 : 0, skipped ? 1 : 0}, at::kLong);
  verdicts_.all_reduce(counts, ReduceOp::kSum);
  const auto failures = counts[0].item<std::int64_t>();
  const auto skips = counts[1].item<std::int64_t>();
  if (failures > 0 && !failed) ADD_FAILURE() << failures << " other rank(s) failed";
  if (skips > 0 && skips < verdicts_.size()) ADD_FAILURE() << "skipped on " << skips << " rank(s) only";
}

}  // namespace negatron::testing
