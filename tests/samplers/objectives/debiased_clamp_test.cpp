#include "samplers/objectives/debiased_clamp.h"

#include <gtest/gtest.h>

namespace negatron {
namespace {

/// The table of samplers/objectives/LOSSES.md 5, d = 128, which has two digits.
TEST(DebiasedClamp, IsOpenUpToTheSimilarityOfTheTable) {
  struct Row {
    double tau;
    double tau_plus;
    double limits[4];
  };
  constexpr double kBetas[] = {0.0, 0.5, 1.0, 2.0};
  for (const Row& row : {Row{0.5, 0.1, {1.10, 1.10, 1.11, 1.13}}, Row{0.2, 0.1, {0.48, 0.50, 0.52, 0.56}},
                         Row{0.2, 0.01, {0.94, 0.96, 0.98, 1.02}}, Row{0.2, 0.001, {1.40, 1.42, 1.44, 1.48}},
                         Row{0.1, 0.01, {0.50, 0.54, 0.58, 0.66}}, Row{0.07, 0.1, {0.22, 0.27, 0.33, 0.44}},
                         Row{0.07, 0.01, {0.38, 0.43, 0.49, 0.60}}, Row{0.07, 0.001, {0.54, 0.59, 0.65, 0.76}}}) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(open_up_to(row.tau, row.tau_plus, kBetas[i], 128), row.limits[i], 0.0101)
          << row.tau << " " << row.tau_plus << " " << kBetas[i];
    }
  }
}

TEST(DebiasedClamp, WarnsOnlyWhereItCloses) {
  EXPECT_EQ(clamp_warning(0.5, 0.1, 1.0, 128), "");
  EXPECT_EQ(clamp_warning(0.01, 0.0, 1.0, 128), "");
  const std::string warning = clamp_warning(0.2, 0.1, 0.0, 128);
  EXPECT_NE(warning.find("0.48"), std::string::npos) << warning;
  EXPECT_NE(warning.find("tau-plus"), std::string::npos) << warning;
}

}  // namespace
}  // namespace negatron
