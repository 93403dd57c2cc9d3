#include "comm/collective_log.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(CollectiveLog, TellsWhatHappened) {
  CollectiveLog log(2);
  log.start("all_gather", "fp32 [2, 3]");
  log.start("barrier", "");
  log.start("broadcast", "int64 [1]");
  log.finish(0, CollectiveLog::State::kDone, 0.25);
  log.finish(2, CollectiveLog::State::kFailed, 1.5);
  EXPECT_EQ(log.text(),
            "[rank 2] #0 all_gather fp32 [2, 3]: done, 0.250 s\n"
            "[rank 2] #1 barrier: started, not finished\n"
            "[rank 2] #2 broadcast int64 [1]: failed, 1.500 s\n");
}

TEST(CollectiveLog, KeepsTheLastOnes) {
  CollectiveLog log(0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(log.start("barrier", ""), i);
  EXPECT_EQ(log.next_sequence(), 100);
  EXPECT_EQ(log.entries().size(), 32U);
  EXPECT_EQ(log.entries().front().sequence, 68);
  // The entry is gone; that is no error.
  log.finish(3, CollectiveLog::State::kDone, 0.0);
  log.finish(99, CollectiveLog::State::kDone, 0.0);
  EXPECT_EQ(log.entries().back().state, CollectiveLog::State::kDone);
  EXPECT_EQ(log.entries().front().state, CollectiveLog::State::kStarted);
}

}  // namespace
}  // namespace negatron::testing
