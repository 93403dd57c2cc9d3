#include "samplers/exchange/ranking/merge_lists.h"

#include <gtest/gtest.h>

#include "samplers/pass/selection/selection_key.h"

namespace negatron {
namespace {

TEST(MergeLists, EqualsASortOfAllKeys) {
  for (const std::int64_t shards : {1, 2, 3, 5, 8}) {
    for (const std::int64_t length : {1, 2, 7, 100}) {
      at::Tensor lists = at::randint(-1000, 1000, {shards, 9, length}, at::kLong);
      // Keys of none, and a shard that holds nothing else.
      lists.masked_fill_(lists > 500, kAfterAllKeys);
      lists[shards - 1].fill_(kAfterAllKeys);
      lists = std::get<0>(lists.sort(2));
      const at::Tensor expected = std::get<0>(lists.transpose(0, 1).flatten(1).sort(1));
      EXPECT_TRUE(at::equal(merge_lists(lists), expected)) << shards << " lists of " << length;
    }
  }
}

TEST(MergeLists, OfNoQuery) {
  EXPECT_EQ(merge_lists(at::empty({3, 0, 4}, at::kLong)).sizes(), (std::vector<std::int64_t>{0, 12}));
}

}  // namespace
}  // namespace negatron
