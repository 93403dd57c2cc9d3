#include "runtime/encoders/encoder_pair.h"

#include <functional>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/view_pair.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kImages = 6;

EncoderPairOptions small_pair() {
  EncoderPairOptions options;
  options.backbone.channels = {8, 16};
  options.backbone.strides = {1, 2};
  options.backbone.groups = 4;
  options.head.hidden = 12;
  options.head.output = 5;
  options.seed = 4;
  return options;
}

at::Tensor images_of(std::int64_t seed) {
  return at::arange(kImages * 144, at::kDouble).mul_(static_cast<double>(seed)).sin_().view({kImages, 1, 12, 12});
}

/// On one rank, in fp64.
void with_pair(const EncoderPairOptions& options, const std::function<void(EncoderPair&)>& test) {
  run_ranks(1, CommunicatorOptions{}, [&](Communicator& comm) {
    EncoderPair pair(options, {at::kCPU, Precision::kFp64}, comm);
    test(pair);
  });
}

TEST(EncoderPair, QueriesTakeGradientAndKeysOfTheMomentumEncoderNone) {
  with_pair(small_pair(), [](EncoderPair& pair) {
    ASSERT_TRUE(pair.has_momentum_encoder());
    const at::Tensor queries = pair.query(images_of(1));
    const at::Tensor keys = pair.key(images_of(1));
    EXPECT_EQ(queries.sizes(), (std::vector<std::int64_t>{kImages, 5}));
    EXPECT_TRUE(queries.requires_grad());
    EXPECT_FALSE(keys.requires_grad());
    EXPECT_TRUE(at::equal(queries.detach(), keys)) << "the momentum encoder starts as a copy";
  });
}

TEST(EncoderPair, KeysFollowTheQueryEncoder) {
  with_pair(small_pair(), [](EncoderPair& pair) {
    const at::Tensor before = pair.key(images_of(1));
    {
      const at::NoGradGuard no_grad;
      for (at::Tensor& parameter : pair.parameters()) parameter.add_(0.1);
    }
    pair.follow(1.0);
    EXPECT_TRUE(at::equal(pair.key(images_of(1)), before));
    pair.follow(0.0);
    EXPECT_TRUE(at::equal(pair.key(images_of(1)), pair.query(images_of(1)).detach()));
  });
}

TEST(EncoderPair, OnlyQueriesPassThePredictor) {
  EncoderPairOptions options = small_pair();
  options.predictor_hidden = 7;
  with_pair(options, [](EncoderPair& pair) {
    EXPECT_FALSE(at::allclose(pair.query(images_of(1)).detach(), pair.key(images_of(1))));
    EXPECT_TRUE(at::equal(pair.embed(images_of(1)), pair.key(images_of(1)))) << "rows to be evaluated do not either";
    EXPECT_TRUE(pair.trained().named_children().contains("predictor"));
  });
}

TEST(EncoderPair, OneEncoderTrainsBothViewsInOneBatch) {
  EncoderPairOptions options = small_pair();
  options.keys = KeyMaker::kQueryEncoder;
  with_pair(options, [](EncoderPair& pair) {
    EXPECT_FALSE(pair.has_momentum_encoder());
    const at::Tensor rows = pair.together({images_of(1), images_of(2), images_of(3)});
    EXPECT_TRUE(rows.requires_grad());
    for (int view = 0; view < 3; ++view) {
      EXPECT_TRUE(at::allclose(rows.narrow(0, view * kImages, kImages), pair.query(images_of(view + 1)), 1e-12, 1e-12));
    }
    pair.follow(0.5);
    EXPECT_THROW(pair.key(images_of(1)), std::bad_optional_access);
  });
}

TEST(EncoderPair, EvaluationTakesEachImageForItself) {
  EncoderPairOptions options = small_pair();
  options.head.norm = HeadNorm::kBatch;
  with_pair(options, [](EncoderPair& pair) {
    pair.query(images_of(1));
    const at::Tensor rows = pair.embed(images_of(2));
    EXPECT_TRUE(at::equal(pair.embed(images_of(2)), rows));
    EXPECT_TRUE(at::allclose(pair.embed(images_of(2).narrow(0, 0, 1))[0], rows[0], 1e-12, 1e-12));
    EXPECT_EQ(pair.features(images_of(2)).size(0), kImages);
  });
}

TEST(ViewPair, GivesWhatTheEncodersGiveInEitherDirection) {
  with_pair(small_pair(), [](EncoderPair& pair) {
    ViewPair views(pair, images_of(1), images_of(2));
    EXPECT_TRUE(at::equal(views.query(), pair.query(images_of(1))));
    EXPECT_TRUE(at::equal(views.key(), pair.key(images_of(2))));
    ViewPair swapped = views.swapped();
    EXPECT_TRUE(at::equal(swapped.query(), pair.query(images_of(2))));
    EXPECT_TRUE(at::equal(swapped.key(), pair.key(images_of(1))));
  });
}

TEST(ViewPair, MakesTrainedKeysWithTheQueries) {
  EncoderPairOptions options = small_pair();
  options.keys = KeyMaker::kQueryEncoder;
  with_pair(options, [](EncoderPair& pair) {
    ViewPair views(pair, images_of(1), images_of(2));
    const at::Tensor rows = pair.together({images_of(1), images_of(2)});
    EXPECT_TRUE(at::equal(views.query(), rows.narrow(0, 0, kImages)));
    EXPECT_TRUE(at::equal(views.key(), rows.narrow(0, kImages, kImages)));
    EXPECT_TRUE(views.key().requires_grad());
    EXPECT_FALSE(views.mined().defined());
  });
}

TEST(ViewPair, MakesRowsOfMinedSamplesWithTheQueriesAlsoInParts) {
  EncoderPairOptions options = small_pair();
  options.keys = KeyMaker::kQueryEncoder;
  with_pair(options, [](EncoderPair& pair) {
    for (const std::int64_t parts : {1, 2}) {
      ViewPair views(pair, images_of(1), images_of(2), {parts, 0}, {images_of(3), images_of(4)});
      views.query();
      ASSERT_EQ(views.mined().sizes(), (std::vector<std::int64_t>{kImages, 2, views.key().size(1)}));
      for (int place = 0; place < 2; ++place) {
        const at::Tensor expected = pair.query(images_of(3 + place));
        EXPECT_TRUE(at::allclose(views.mined().select(1, place), expected, 1e-12, 1e-12)) << parts << " parts";
      }
    }
  });
}

}  // namespace
}  // namespace negatron::testing
