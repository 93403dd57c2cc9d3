#pragma once

#include <string>

#include <gtest/gtest.h>

#include "comm/communicator.h"

namespace negatron::testing {

/// Makes a gtest program under mpirun tell the truth: every rank prints its own failures at once to stderr, each in one
/// write, because a rank that fails early may leave the others waiting; and at the end of each test the ranks agree on
/// the verdict, so that a failure (or a skip) of one is that of all and they return the same exit code.
class RankListener : public ::testing::EmptyTestEventListener {
 public:
  /// `verdicts` is a group of all ranks that nothing else uses.
  explicit RankListener(Communicator& verdicts) : verdicts_(verdicts) {}

  void OnTestStart(const ::testing::TestInfo& test) override;
  void OnTestPartResult(const ::testing::TestPartResult& result) override;
  void OnTestEnd(const ::testing::TestInfo& test) override;

 private:
  Communicator& verdicts_;
  // Kept here because gtest holds the lock of its own answer while it reports a failure.
  std::string running_;
};

/// "[rank 1/4] "
std::string rank_prefix(int rank, int size);
/// Writes `prefix` + `text` to stderr in one write, so that lines of several ranks do not mix.
void print_now(const std::string& prefix, const std::string& text);

}  // namespace negatron::testing
