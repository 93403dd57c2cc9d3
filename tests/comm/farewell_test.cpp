#include "comm/farewell.h"

#include <gtest/gtest.h>

namespace negatron {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Farewell, WithoutOneTheTimeLimitIsAll) {
  Farewell farewell;
  farewell.count(seconds(3));
  EXPECT_EQ(farewell.patience(seconds(600)), seconds(600));
}

TEST(Farewell, NobodyIsWaitedForLongerThanOthersLately) {
  Farewell farewell;
  farewell.begin();
  EXPECT_EQ(farewell.patience(seconds(600)), Farewell::kLeast);
  EXPECT_EQ(farewell.patience(milliseconds(700)), milliseconds(700)) << "the limit stays one";
  farewell.count(seconds(3));
  farewell.count(milliseconds(1));
  EXPECT_GT(farewell.patience(seconds(600)), seconds(5));
  EXPECT_LE(farewell.patience(seconds(600)), seconds(6));
  for (int i = 0; i < 500; ++i) farewell.count(milliseconds(1));
  EXPECT_EQ(farewell.patience(seconds(600)), Farewell::kLeast) << "what was long ago still counts";
}

}  // namespace
}  // namespace negatron
