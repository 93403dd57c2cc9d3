#include "comm/share.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(Share, SplitsAsDocumented) {
  EXPECT_EQ(share(7, 3, 0).begin, 0);
  EXPECT_EQ(share(7, 3, 0).end, 3);
  EXPECT_EQ(share(7, 3, 1).end, 5);
  EXPECT_EQ(share(7, 3, 2).end, 7);
  EXPECT_EQ(share_sizes(7, 3), (std::vector<std::int64_t>{3, 2, 2}));
  EXPECT_EQ(share_sizes(2, 4), (std::vector<std::int64_t>{1, 1, 0, 0}));
}

TEST(Share, CoversEverythingOnceAndEvenly) {
  for (int ranks = 1; ranks <= 7; ++ranks) {
    for (std::int64_t count = 0; count <= 30; ++count) {
      std::int64_t end = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Range range = share(count, ranks, rank);
        EXPECT_EQ(range.begin, end);
        EXPECT_GE(range.size(), count / ranks);
        EXPECT_LE(range.size(), count / ranks + 1);
        end = range.end;
      }
      EXPECT_EQ(end, count);
    }
  }
}

}  // namespace
}  // namespace negatron::testing
