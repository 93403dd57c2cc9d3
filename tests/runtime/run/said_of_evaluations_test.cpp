// What an evaluation on the way says of the images that it took.

#include <gtest/gtest.h>

#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

/// Of a run of one epoch on 50 images, all of which are classified where `queries` says so.
std::string said_with(std::int64_t queries) {
  const TemporaryDirectory folder;
  std::string said;
  SmallStart start;
  start.options = small_options("info-nce");
  start.options.epochs = 2;
  start.options.knn_k = 5;
  start.options.evaluate_queries = queries;
  start.run_directory = folder / "run";
  start.said = &said;
  run(start);
  return said;
}

TEST(SaidOfEvaluations, APartIsOneOnlyWhereImagesAreLeftOut) {
  const std::string part = "(on a part of the images)";
  EXPECT_EQ(said_with(2000).find(part), std::string::npos);
  EXPECT_EQ(said_with(50).find(part), std::string::npos);
  EXPECT_NE(said_with(49).find(part), std::string::npos);
}

}  // namespace
}  // namespace negatron::testing
