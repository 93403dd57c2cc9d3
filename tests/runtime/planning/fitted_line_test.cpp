#include "runtime/planning/fitted_line.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace negatron {
namespace {

TEST(FitLine, FindsTheLineThatPointsLieOn) {
  const FittedLine line = fit_line({{1.0, 5.0}, {10.0, 23.0}, {1000.0, 2003.0}});
  EXPECT_NEAR(line.start, 3.0, 1e-9);
  EXPECT_NEAR(line.slope, 2.0, 1e-9);
}

TEST(FitLine, SmallSizesCountAsMuchAsLargeOnes) {
  // 10 % too long at both ends of three decades: neither end is given up for the other.
  const FittedLine line = fit_line({{1.0, 1.1 * 11.0}, {30.0, 40.0}, {1000.0, 1.1 * 1010.0}});
  EXPECT_NEAR((line.start + line.slope) / (1.1 * 11.0), 1.0, 0.1);
  EXPECT_NEAR((line.start + 1000.0 * line.slope) / (1.1 * 1010.0), 1.0, 0.1);
}

TEST(FitLine, HasNoNegativeCoefficient) {
  const FittedLine from_origin = fit_line({{1.0, 1.0}, {2.0, 4.0}});
  EXPECT_EQ(from_origin.start, 0.0);
  EXPECT_GT(from_origin.slope, 1.0);
  const FittedLine flat = fit_line({{1.0, 4.0}, {2.0, 3.0}});
  EXPECT_EQ(flat.slope, 0.0);
  EXPECT_GT(flat.start, 3.0);
  EXPECT_LT(flat.start, 4.0);
}

TEST(FitLine, RefusesWhatDeterminesNoLine) {
  EXPECT_THROW(fit_line({}), std::invalid_argument);
  EXPECT_THROW(fit_line({{2.0, 1.0}, {2.0, 1.5}}), std::invalid_argument);
  EXPECT_THROW(fit_line({{1.0, 0.0}, {2.0, 1.0}}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
