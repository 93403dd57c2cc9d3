#include "samplers/bank/canonical_leaves.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace negatron {
namespace {

struct Grid {
  std::int64_t height;
  std::int64_t columns;
};

constexpr Grid kGrids[] = {{1, 1}, {7, 3}, {240, 18}, {256, 16}, {32, 128}, {3, 5000}, {1, 70000}, {5000, 1}};

TEST(CanonicalLeaves, CoverEveryShardOnceInOrder) {
  for (const Grid& grid : kGrids) {
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (int rank = 0; rank < ranks; ++rank) {
        const Range offsets = share(grid.height, ranks, rank);
        std::int64_t next = 0;
        std::int64_t index = -1;
        for (const Leaf& leaf : canonical_leaves(grid.height, grid.columns, offsets)) {
          EXPECT_EQ(leaf.begin, next);
          EXPECT_GT(leaf.size(), 0);
          EXPECT_LE(leaf.size(), 2 * kLeafRows);
          EXPECT_GT(leaf.index, index);
          next = leaf.end;
          index = leaf.index;
        }
        EXPECT_EQ(next, offsets.size() * grid.columns) << grid.height << " x " << grid.columns;
      }
    }
  }
}

// With a power of two of ranks that divides the offsets, the ranks' leaves are those of one rank, uncut.
TEST(CanonicalLeaves, AreTheSameForPowerOfTwoRanks) {
  for (const Grid& grid : {Grid{240, 18}, Grid{256, 16}, Grid{32, 128}, Grid{8, 5000}}) {
    const std::vector<Leaf> whole = canonical_leaves(grid.height, grid.columns, {0, grid.height});
    ASSERT_GE(whole.size(), 4u);
    for (const int ranks : {2, 4}) {
      std::size_t position = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Range offsets = share(grid.height, ranks, rank);
        for (const Leaf& leaf : canonical_leaves(grid.height, grid.columns, offsets)) {
          ASSERT_LT(position, whole.size());
          EXPECT_EQ(leaf.index, whole[position].index);
          EXPECT_EQ(leaf.begin + offsets.begin * grid.columns, whole[position].begin);
          EXPECT_EQ(leaf.end + offsets.begin * grid.columns, whole[position].end);
          ++position;
        }
      }
      EXPECT_EQ(position, whole.size());
    }
  }
}

TEST(CanonicalLeaves, ExampleOfTheHeader) {
  const std::vector<Leaf> leaves = canonical_leaves(8, 512, share(8, 3, 1));
  ASSERT_EQ(leaves.size(), 2u);
  EXPECT_EQ(leaves[0].index, 1);
  EXPECT_EQ(leaves[0].size(), 512);
  EXPECT_EQ(leaves[1].index, 2);
  EXPECT_EQ(leaves[1].size(), 1024);
}

}  // namespace
}  // namespace negatron
