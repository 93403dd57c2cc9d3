#include "runtime/encoders/momentum_encoder.h"

#include <gtest/gtest.h>

#include "runtime/encoders/initialization.h"

namespace negatron {
namespace {

/// A backbone with both kinds of buffers, as batch norm has: a running mean and a counter.
class BufferedBackbone : public Backbone {
 public:
  BufferedBackbone() {
    layer_ = register_module("layer", torch::nn::Linear(4, 4));
    mean_ = register_buffer("mean", at::zeros({4}));
    counter_ = register_buffer("counter", at::zeros({1}, at::kLong));
  }
  torch::Tensor forward(const torch::Tensor& images) override { return layer_(images.flatten(1)) - mean_; }
  std::int64_t feature_width() const override { return 4; }
  std::shared_ptr<Backbone> same_shape() const override { return std::make_shared<BufferedBackbone>(); }

 private:
  torch::nn::Linear layer_{nullptr};
  at::Tensor mean_;
  at::Tensor counter_;
};

std::shared_ptr<ContrastiveEncoder> make_query() {
  auto query = std::make_shared<ContrastiveEncoder>(std::make_shared<BufferedBackbone>(),
                                                    ProjectionHeadOptions{.hidden = 3, .output = 2});
  initialize(*query, 2);
  return query;
}

void fill(ContrastiveEncoder& encoder, double value) {
  const torch::NoGradGuard no_grad;
  for (const at::Tensor& parameter : encoder.parameters()) parameter.fill_(value);
  for (const at::Tensor& buffer : encoder.buffers()) buffer.fill_(value);
}

TEST(MomentumEncoder, StartsAsAnExactCopyWithoutGradient) {
  auto query = make_query();
  fill(*query, 3.0);
  const MomentumEncoder key(query);
  const at::Tensor images = at::rand({3, 1, 2, 2});
  const at::Tensor keys = key.forward(images);
  EXPECT_TRUE(at::equal(keys, query->forward(images)));
  EXPECT_FALSE(keys.requires_grad());
  for (const at::Tensor& parameter : key.encoder().parameters()) EXPECT_FALSE(parameter.requires_grad());
  for (const at::Tensor& parameter : query->parameters()) EXPECT_TRUE(parameter.requires_grad());
  for (const at::Tensor& buffer : key.encoder().buffers()) {
    EXPECT_TRUE(at::equal(buffer, at::full_like(buffer, 3.0)));
  }
}

TEST(MomentumEncoder, FollowsByTheFormulaAndKeepsItsOwnBuffers) {
  auto query = make_query();
  fill(*query, 1.0);
  MomentumEncoder key(query);
  fill(*query, 5.0);
  key.follow(0.75);
  for (const at::Tensor& parameter : key.encoder().parameters()) {
    EXPECT_TRUE(at::equal(parameter, at::full_like(parameter, 0.75 * 1.0 + 0.25 * 5.0)));
  }
  const auto buffers = key.encoder().named_buffers();
  EXPECT_TRUE(at::equal(buffers["backbone.mean"], at::full({4}, 1.0)));
  EXPECT_TRUE(at::equal(buffers["backbone.counter"], at::full({1}, 1, at::kLong)));
  for (const at::Tensor& parameter : query->parameters()) {
    EXPECT_TRUE(at::equal(parameter.detach(), at::full_like(parameter, 5.0))) << "the query encoder must not move";
  }
}

TEST(MomentumEncoder, MomentumOneStandsStillAndZeroCopies) {
  auto query = make_query();
  fill(*query, 1.0);
  MomentumEncoder key(query);
  fill(*query, 0.3);
  key.follow(1.0);
  EXPECT_EQ(key.encoder().parameters().front().max().item<float>(), 1.0F);
  key.follow(0.0);
  EXPECT_EQ(key.encoder().parameters().front().max().item<float>(), 0.3F);
}

TEST(MomentumEncoder, RefusesAMomentumOutsideZeroToOne) {
  MomentumEncoder key(make_query());
  EXPECT_THROW(key.follow(-0.1), std::invalid_argument);
  EXPECT_THROW(key.follow(1.1), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
