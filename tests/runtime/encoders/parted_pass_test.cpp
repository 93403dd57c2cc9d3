#include "runtime/encoders/parted_pass.h"

#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

namespace negatron::testing {
namespace {

constexpr std::int64_t kSamples = 7;
constexpr std::int64_t kInputs = 4;
constexpr std::int64_t kWidth = 3;

/// [samples, inputs] fp64.
at::Tensor inputs(double seed) {
  return at::arange(kSamples * kInputs, at::kDouble).mul_(seed).sin_().view({kSamples, kInputs});
}

/// Half of the inputs, drawn by torch's generator, through a linear layer and a batch norm.
struct DroppingNetwork : torch::nn::Module {
  DroppingNetwork() {
    linear = register_module("linear", torch::nn::Linear(kInputs, kWidth));
    norm = register_module("norm", torch::nn::BatchNorm1d(kWidth));
    to(at::kDouble);
    const at::NoGradGuard no_grad;
    linear->weight.copy_(at::arange(kWidth * kInputs, at::kDouble).cos_().view({kWidth, kInputs}));
    linear->bias.fill_(0.1);
  }
  at::Tensor forward(const at::Tensor& images) { return norm(linear(at::dropout(images, 0.5, true))); }

  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};

/// Of all rows: no sum of losses of parts.
at::Tensor loss_of(const at::Tensor& rows) {
  return rows.mm(rows.t()).exp().sum().log();
}

std::vector<at::Tensor> tensors_of(const torch::nn::Module& network) {
  std::vector<at::Tensor> tensors = network.buffers();
  for (const at::Tensor& parameter : network.parameters()) tensors.push_back(parameter.grad());
  return tensors;
}

TEST(BatchParts, HaveTheSameSamplesOnAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 3, 9}) {
    for (const std::int64_t count : {1, 2, 3, 8}) {
      std::multiset<std::int64_t> met;
      for (int rank = 0; rank < ranks; ++rank) {
        const Range own = share(kSamples, ranks, rank);
        const at::Tensor samples = at::arange(own.begin, own.end, at::kLong);
        for (std::int64_t part = 0; part < count; ++part) {
          const at::Tensor found = BatchParts{count, own.begin}.of(samples, part);
          EXPECT_TRUE(found.remainder(count).eq(part).all().item<bool>());
          for (std::int64_t i = 0; i < found.size(0); ++i) met.insert(found[i].item<std::int64_t>());
        }
      }
      EXPECT_EQ(met, (std::multiset<std::int64_t>{0, 1, 2, 3, 4, 5, 6})) << count << " parts on " << ranks << " ranks";
    }
  }
}

TEST(BatchParts, AreAsManyAsAskedAndFewerOfASmallBatch) {
  EXPECT_EQ(divide_batch(4, 12, 12, {3, 6}).count, 4);
  EXPECT_EQ(divide_batch(4, 12, 12, {3, 6}).first, 3);
  EXPECT_EQ(divide_batch(5, 12, 12, {0, 12}).count, 5);
  EXPECT_EQ(divide_batch(4, 12, 2, {0, 2}).count, 1);
  EXPECT_EQ(divide_batch(4, 12, 4, {0, 4}).count, 2);
  EXPECT_EQ(divide_batch(12, 12, 2, {0, 1}).count, 2);
}

// The plain twin holds the graphs of all parts.
TEST(PartedPass, GivesTheGradientThatOneGraphOfAllPartsGives) {
  constexpr std::int64_t kCount = 3;
  const BatchParts parts{kCount, 5};
  const at::Tensor view_a = inputs(1.7), view_b = inputs(2.3);

  DroppingNetwork plain;
  at::manual_seed(11);
  std::vector<at::Tensor> of_a, of_b;
  for (std::int64_t part = 0; part < kCount; ++part) {
    const at::Tensor rows = plain.forward(at::cat({parts.of(view_a, part), parts.of(view_b, part)}));
    of_a.push_back(rows.narrow(0, 0, rows.size(0) / 2));
    of_b.push_back(rows.narrow(0, rows.size(0) / 2, rows.size(0) / 2));
  }
  // The samples 5 to 11 in parts: part 0 has 6 and 9, part 1 has 7 and 10, part 2 has 5, 8 and 11.
  const at::Tensor order = at::tensor({4, 0, 2, 5, 1, 3, 6}, at::kLong);
  const at::Tensor expected = at::cat({at::cat(of_a).index_select(0, order), at::cat(of_b).index_select(0, order)});
  loss_of(expected).backward();
  // As key encoders do between the passes of the query encoder.
  at::rand({2});
  const at::Tensor drawn_next = at::rand({4});

  DroppingNetwork network;
  at::manual_seed(11);
  PartedPass pass([&](const at::Tensor& images) { return network.forward(images); }, network, {view_a, view_b}, parts);
  at::rand({2});
  EXPECT_TRUE(at::equal(pass.rows().detach(), expected.detach()));
  EXPECT_TRUE(pass.rows().is_leaf() && pass.rows().requires_grad());
  EXPECT_THROW(pass.backward(0), std::logic_error);
  loss_of(pass.rows()).backward();
  EXPECT_FALSE(network.linear->weight.grad().defined()) << "the loss's backward ends at the rows";
  for (std::int64_t part = 0; part < pass.parts(); ++part) pass.backward(part);

  EXPECT_TRUE(at::equal(at::rand({4}), drawn_next)) << "random numbers go on where the first passes left them";
  EXPECT_EQ(network.norm->num_batches_tracked.item<std::int64_t>(), kCount);
  const std::vector<at::Tensor> found = tensors_of(network), twin = tensors_of(plain);
  for (std::size_t i = 0; i < twin.size(); ++i) EXPECT_TRUE(at::allclose(found[i], twin[i], 1e-12, 1e-12)) << i;
}

TEST(PartedPass, TakesPartsWithoutSamples) {
  torch::nn::Linear linear(kInputs, kWidth);
  linear->to(at::kDouble);
  const at::Tensor images = inputs(1.0).narrow(0, 0, 1);
  PartedPass pass([&](const at::Tensor& part) { return linear->forward(part); }, *linear, {images}, {4, 2});
  loss_of(pass.rows()).backward();
  for (std::int64_t part = 0; part < pass.parts(); ++part) pass.backward(part);
  const at::Tensor found = linear->weight.grad().clone();
  linear->weight.mutable_grad().reset();
  loss_of(linear->forward(images)).backward();
  EXPECT_TRUE(at::allclose(found, linear->weight.grad(), 1e-12, 1e-12));
}

}  // namespace
}  // namespace negatron::testing
