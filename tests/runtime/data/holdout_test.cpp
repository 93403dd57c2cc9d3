#include "runtime/data/holdout.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(Holdout, TakesTheSameShareOfEachLabel) {
  // 50, 30 and 20 of the labels 0, 1 and 2.
  const at::Tensor labels =
      at::cat({at::zeros({50}, at::kLong), at::full({30}, 1, at::kLong), at::full({20}, 2, at::kLong)});
  const HeldOut parts = hold_out(100, labels, {10, true});
  EXPECT_TRUE(at::bincount(labels.index_select(0, parts.test)).equal(at::tensor({5, 3, 2}, at::kLong)));
  EXPECT_TRUE(std::get<0>(at::cat({parts.train, parts.test}).sort()).equal(at::arange(100, at::kLong)));
  EXPECT_TRUE(parts.test.equal(hold_out(100, labels, {10, true}).test));
  EXPECT_FALSE(parts.test.slice(0, 0, 5).equal(at::arange(5, at::kLong)));
  EXPECT_EQ(hold_out(100, labels, {7, true}).test.size(0), 7);
}

TEST(Holdout, NeedsNoLabels) {
  const HeldOut parts = hold_out(40, {}, {8, true});
  EXPECT_EQ(parts.train.size(0), 32);
  EXPECT_EQ(parts.test.size(0), 8);
  EXPECT_TRUE(parts.test.diff().gt(0).all().item<bool>());
}

TEST(Holdout, TakesTheLastOnesAsItUsedTo) {
  const HeldOut parts = hold_out(40, at::arange(40, at::kLong), {8, false});
  EXPECT_TRUE(parts.train.equal(at::arange(32, at::kLong)));
  EXPECT_TRUE(parts.test.equal(at::arange(32, 40, at::kLong)));
}

TEST(Holdout, IsReadAndWrittenAsText) {
  for (const char* text : {"0", "drawn:500", "last:500"}) EXPECT_EQ(text_of(parse_holdout(text)), text);
  EXPECT_EQ(text_of(parse_holdout("500")), "drawn:500");
  EXPECT_EQ(text_of(parse_holdout("last:0")), "0");
  for (const char* text : {"", "-1", "first:5", "5x"}) EXPECT_THROW(parse_holdout(text), std::invalid_argument) << text;
  EXPECT_THROW(hold_out(8, {}, {8, true}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
