#include "launch/start_limit.h"

#include <vector>

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

milliseconds limit_of(const std::vector<const char*>& words) {
  return start_limit(static_cast<int>(words.size()), words.data());
}

TEST(StartLimit, IsThatOfCollectivesWhereTheCommandLineSaysIt) {
  EXPECT_EQ(limit_of({"negatron", "pretrain", "--collective-time-limit", "15"}), milliseconds(15000));
  EXPECT_EQ(limit_of({"negatron", "pretrain", "--collective-time-limit=12.5", "--epochs", "3"}), milliseconds(12500));
  EXPECT_EQ(limit_of({"negatron", "pretrain", "--collective-time-limit", "0.5"}), milliseconds(10000)) << "the least";
}

TEST(StartLimit, IsTenMinutesOtherwise) {
  EXPECT_EQ(limit_of({"negatron"}), minutes(10));
  for (const char* useless : {"0", "-3", "soon", "", "nan", "1e300"}) {
    EXPECT_EQ(limit_of({"negatron", "pretrain", "--collective-time-limit", useless}), minutes(10)) << useless;
  }
  EXPECT_EQ(limit_of({"negatron", "pretrain", "--collective-time-limit"}), minutes(10));
}

}  // namespace
}  // namespace negatron::testing
