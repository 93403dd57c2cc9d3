#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace negatron::testing {

/// No single test runs longer than this: a hang ends with the name of the test and not with a silent CTest timeout.
constexpr std::chrono::seconds kTestTimeLimit{180};

/// Ends the process (exit code 124, without unwinding) when one test runs longer than the limit. Under mpirun that ends
/// the whole job.
class TimeLimit : public ::testing::EmptyTestEventListener {
 public:
  /// `prefix` begins the message, for example "[rank 1/4] ".
  TimeLimit(std::string prefix, std::chrono::seconds limit);
  ~TimeLimit() override;

  void OnTestStart(const ::testing::TestInfo& test) override;
  void OnTestEnd(const ::testing::TestInfo& test) override;

 private:
  void watch();

  const std::string prefix_;
  const std::chrono::seconds limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string running_;
  std::chrono::steady_clock::time_point deadline_;
  bool stopping_ = false;
  std::thread watcher_;
};

}  // namespace negatron::testing
