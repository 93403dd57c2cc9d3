#include "samplers/options/nearest_name.h"

#include <gtest/gtest.h>

namespace negatron {
namespace {

TEST(NearestName, IsTheOneWithTheFewestEdits) {
  EXPECT_EQ(nearest_name("globl-batch", {"epochs", "global-batch", "bank-rows"}), "global-batch");
  // A third of what was typed may change, but one letter always; all of it never.
  EXPECT_EQ(nearest_name("moshi", {"mochi"}), "mochi");
  EXPECT_EQ(nearest_name("mosha", {"mochi"}), std::nullopt);
  EXPECT_EQ(nearest_name("tua", {"tau"}), "tau");
  EXPECT_EQ(nearest_name("uatxy", {"tauxy"}), std::nullopt);
  EXPECT_EQ(nearest_name("abcdef", {"abcdxy"}), "abcdxy");
  EXPECT_EQ(nearest_name("abcdef", {"abcxyz"}), std::nullopt);
  EXPECT_EQ(nearest_name("t", {"s"}), std::nullopt);
  EXPECT_EQ(nearest_name("", {"abc", "d"}), std::nullopt);
  EXPECT_EQ(nearest_name("quiet", {"seed"}), std::nullopt);
  EXPECT_EQ(nearest_name("x", {}), std::nullopt);
}

}  // namespace
}  // namespace negatron
