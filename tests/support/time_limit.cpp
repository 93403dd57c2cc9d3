#include "tests/support/time_limit.h"

#include <unistd.h>

#include <cstdlib>

namespace negatron::testing {
namespace {

constexpr int kTimeLimitExitCode = 124;

}  // namespace

TimeLimit::TimeLimit(std::string prefix, std::chrono::seconds limit)
    : prefix_(std::move(prefix)), limit_(limit), watcher_([this] { watch(); }) {}

TimeLimit::~TimeLimit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void TimeLimit::OnTestStart(const ::testing::TestInfo& test) {
  const std::lock_guard lock(mutex_);
  running_ = std::string(test.test_suite_name()) + "." + test.name();
  deadline_ = std::chrono::steady_clock::now() + limit_;
  changed_.notify_all();
}

void TimeLimit::OnTestEnd(const ::testing::TestInfo&) {
  const std::lock_guard lock(mutex_);
  running_.clear();
}

void TimeLimit::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (running_.empty()) {
      changed_.wait(lock);
      continue;
    }
    changed_.wait_until(lock, deadline_);
    if (running_.empty() || stopping_ || std::chrono::steady_clock::now() < deadline_) continue;
    const std::string message =
        prefix_ + running_ + " ran longer than " + std::to_string(limit_.count()) + " s; ending the process\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message.size());
    std::_Exit(kTimeLimitExitCode);
  }
}

}  // namespace negatron::testing
