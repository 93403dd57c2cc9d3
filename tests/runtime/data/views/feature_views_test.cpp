#include "runtime/data/views/feature_views.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

constexpr std::int64_t kSamples = 40;
constexpr std::int64_t kFeatures = 200;

class FeatureViews : public ::testing::Test {
 protected:
  /// [samples, kFeatures] of the features 3 with mean 1 and deviation 2, which are 1.
  at::Tensor views(const at::Tensor& ids, const ViewNumber& number = {5, 2, 0}) const {
    const DecodedImages features(at::full({ids.size(0), kFeatures, 1, 1}, 3.0, at::kDouble));
    return augment(features, ids, number, options_, {{1, 1}, Normalization(1.0, 2.0)}).flatten(1);
  }

  AugmentationOptions options_;
  const at::Tensor all_ = at::arange(kSamples, at::kLong);
};

TEST_F(FeatureViews, AreNormalisedAloneWithoutNoiseAndDropout) {
  options_.feature_noise = options_.feature_dropout = 0.0;
  EXPECT_TRUE(views(all_).equal(at::ones({kSamples, kFeatures})));
}

TEST_F(FeatureViews, HaveTheNoiseAndTheDropoutThatAreAskedFor) {
  options_.feature_noise = 0.5;
  options_.feature_dropout = 0.0;
  const at::Tensor noise = views(all_).sub(1.0).to(at::kDouble);
  // 8,000 draws.
  EXPECT_NEAR(noise.mean().item<double>(), 0.0, 0.03);
  EXPECT_NEAR(noise.std().item<double>(), 0.5, 0.02);
  options_.feature_dropout = 0.25;
  const at::Tensor both = views(all_).to(at::kDouble);
  const at::Tensor dropped = both.eq(0.0);
  EXPECT_NEAR(dropped.to(at::kDouble).mean().item<double>(), 0.25, 0.02);
  // What stays has the noise that it had.
  EXPECT_TRUE(both.sub(1.0).masked_fill(dropped, 0.0).allclose(noise.masked_fill(dropped, 0.0), 0.0, 1e-6));
  options_.feature_noise = 0.0;
  EXPECT_TRUE(views(all_).eq(0.0).equal(dropped));
}

TEST_F(FeatureViews, DependOnSeedEpochSampleAndViewAlone) {
  const at::Tensor together = views(all_);
  EXPECT_TRUE(views(at::tensor({7, 3}, at::kLong)).equal(together.index_select(0, at::tensor({7, 3}, at::kLong))));
  for (const ViewNumber& other : {ViewNumber{6, 2, 0}, ViewNumber{5, 3, 0}, ViewNumber{5, 2, 1}}) {
    EXPECT_FALSE(views(all_, other).equal(together));
  }
  EXPECT_EQ(views(at::empty({0}, at::kLong)).size(0), 0);
  EXPECT_THROW(views(all_, {5, 2, 2}), std::invalid_argument);
}

TEST_F(FeatureViews, RefuseWhatIsNoNoise) {
  options_.feature_noise = -0.1;
  EXPECT_THROW(options_.validate(), std::invalid_argument);
  options_.feature_noise = 0.1;
  options_.feature_dropout = 1.1;
  EXPECT_THROW(options_.validate(), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
