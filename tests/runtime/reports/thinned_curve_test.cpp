#include "runtime/reports/thinned_curve.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace negatron {
namespace {

std::vector<double> values(const ThinnedCurve& curve) {
  std::vector<double> list;
  for (const ThinnedCurve::Point& point : curve.points()) list.push_back(point.value);
  return list;
}

TEST(ThinnedCurve, KeepsWhatFitsAndThenMeansOfNeighbours) {
  ThinnedCurve curve(4);
  for (int step = 1; step <= 4; ++step) curve.add(step, step);
  EXPECT_EQ(values(curve), (std::vector<double>{1, 2, 3, 4}));
  curve.add(5, 5);
  EXPECT_EQ(values(curve), (std::vector<double>{1.5, 3.5, 5}));
  EXPECT_EQ(curve.points()[1].step, 3.5);
  for (int step = 6; step <= 9; ++step) curve.add(step, step);
  EXPECT_EQ(values(curve), (std::vector<double>{2.5, 6.5, 9}));
}

TEST(ThinnedCurve, OddNumbersOfPointsLoseNone) {
  for (const std::size_t most : {1U, 2U, 3U, 5U, 7U}) {
    for (int count = 1; count <= 100; ++count) {
      ThinnedCurve curve(most);
      for (int step = 0; step < count; ++step) curve.add(step, 2.0);
      ASSERT_LE(curve.points().size(), most);
      for (const double value : values(curve)) ASSERT_EQ(value, 2.0);
      ASSERT_GE(curve.points().size() * 2 + 1, std::min<std::size_t>(most, static_cast<std::size_t>(count)));
    }
  }
}

TEST(ThinnedCurve, LastValuesAreThoseThatWereAddedAndFiniteOnly) {
  ThinnedCurve curve(2);
  EXPECT_TRUE(std::isnan(curve.mean_of_last(3)));
  for (int step = 0; step < 100; ++step) curve.add(step, step);
  curve.add(100, std::numeric_limits<double>::quiet_NaN());
  curve.add(101, std::numeric_limits<double>::infinity());
  EXPECT_EQ(curve.mean_of_last(3), 98.0);
  EXPECT_EQ(curve.mean_of_last(1), 99.0);
}

}  // namespace
}  // namespace negatron
