#include "runtime/encoders/norms/global_batch_norm.h"

#include <limits>

#include <gtest/gtest.h>

#include <torch/autograd.h>
#include <torch/nn/modules/batchnorm.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/conv_encoder.h"
#include "runtime/encoders/initialization.h"
#include "runtime/encoders/momentum_encoder.h"
#include "runtime/encoders/precision.h"
#include "tests/runtime/encoders/plain_batch_norm_pieces.h"
#include "tests/support/stand_in_device.h"

namespace negatron {
namespace {

constexpr std::int64_t kRows = 11;
constexpr std::int64_t kFeatures = 5;
constexpr double kTolerance = 1e-12;

/// [rows, F] fp64 with features of different means and scales. torch's own generator must not matter to any test.
at::Tensor some_rows(std::uint64_t seed, std::int64_t rows = kRows) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const at::Tensor scale = at::arange(1, kFeatures + 1, at::kDouble);
  return at::randn({rows, kFeatures}, generator, at::kDouble) * scale + 3.0 * scale;
}

at::Tensor affine(std::uint64_t seed) {
  return some_rows(seed, 2) / 7.0;  // weight and bias
}

/// What is normalised: rows [b, F], or maps [b, F, 3, 2] in one of the orders that convolutions make.
enum class Form { kOfRows, kOfMaps, kChannelsLast };

at::Tensor some_samples(Form form, std::uint64_t seed, std::int64_t begin = 0, std::int64_t end = kRows) {
  const at::Tensor rows = some_rows(seed).slice(0, begin, end);
  if (form == Form::kOfRows) return rows.clone();
  const at::Tensor maps = rows.unsqueeze(2).unsqueeze(3) + at::arange(6, at::kDouble).sin().view({3, 2});
  return maps.contiguous(form == Form::kOfMaps ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast);
}

/// What a norm made of two batches, one after the other, and of a third in evaluation mode.
struct Trial {
  at::Tensor outputs;    // [2 * rows, F, ...]
  at::Tensor gradients;  // [2 * rows, F, ...], with respect to the samples
  at::Tensor by_weight;  // [F], of the second batch
  at::Tensor by_bias;    // [F]
  at::Tensor running_mean;
  at::Tensor running_variance;
  at::Tensor evaluated;  // [rows, F, ...]
};

/// On samples [begin, end) of each batch, with the loss sum(y * y * direction) of those.
template <typename Norm>
Trial try_norm(Norm& norm, Form form, std::int64_t begin, std::int64_t end, at::Device device = at::kCPU) {
  {
    const torch::NoGradGuard no_grad;
    norm.weight.copy_(affine(5)[0]);
    norm.bias.copy_(affine(5)[1]);
  }
  const at::Tensor direction = some_samples(form, 9, begin, end).to(device);
  std::vector<at::Tensor> outputs;
  std::vector<at::Tensor> gradients;
  for (const std::uint64_t seed : {1, 2}) {
    torch::Tensor rows = some_samples(form, seed, begin, end).to(device).requires_grad_();
    norm.weight.mutable_grad().reset();
    norm.bias.mutable_grad().reset();
    const torch::Tensor output = norm.forward(rows);
    (output.square() * direction).sum().backward();
    EXPECT_EQ(output.suggest_memory_format(), rows.suggest_memory_format());
    outputs.push_back(output.detach().cpu());
    gradients.push_back(rows.grad().cpu());
  }
  norm.eval();
  const auto buffers = norm.named_buffers();
  return {at::cat(outputs),
          at::cat(gradients),
          norm.weight.grad().cpu(),
          norm.bias.grad().cpu(),
          buffers["running_mean"].cpu(),
          buffers["running_var"].cpu(),
          norm.forward(some_samples(form, 3, begin, end).to(device)).detach().cpu()};
}

Trial torch_trial(Form form) {
  if (form == Form::kOfRows) {
    torch::nn::BatchNorm1d norm(kFeatures);
    norm->to(at::kDouble);
    return try_norm(*norm, form, 0, kRows);
  }
  torch::nn::BatchNorm2d norm(kFeatures);
  norm->to(at::kDouble);
  return try_norm(*norm, form, 0, kRows);
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  EXPECT_TRUE(at::allclose(actual, expected, kTolerance, kTolerance)) << what << "\n" << actual << "\n" << expected;
}

/// The rows of both batches that belong to [begin, end) of each.
at::Tensor share_of(const at::Tensor& two_batches, std::int64_t begin, std::int64_t end) {
  return at::cat({two_batches.slice(0, begin, end), two_batches.slice(0, kRows + begin, kRows + end)});
}

void expect_torch_on(const std::vector<std::int64_t>& shares, Form form, const BatchNormPieces* pieces = nullptr) {
  const Trial expected = torch_trial(form);
  CommunicatorOptions checked;
  checked.check = true;
  run_ranks(static_cast<int>(shares.size()), checked, [&](Communicator& comm) {
    std::int64_t begin = 0;
    for (int rank = 0; rank < comm.rank(); ++rank) begin += shares[static_cast<std::size_t>(rank)];
    const std::int64_t end = begin + shares[static_cast<std::size_t>(comm.rank())];
    const std::string where = " on rank " + std::to_string(comm.rank()) + " of " + std::to_string(comm.size());
    GlobalBatchNorm norm(kFeatures, comm, /*counts_batches=*/false, pieces);
    norm.to(at::kDouble);
    const Trial trial = try_norm(norm, form, begin, end);
    expect_close(trial.outputs, share_of(expected.outputs, begin, end), "outputs" + where);
    expect_close(trial.gradients, share_of(expected.gradients, begin, end), "gradients" + where);
    expect_close(trial.running_mean, expected.running_mean, "running mean" + where);
    expect_close(trial.running_variance, expected.running_variance, "running variance" + where);
    expect_close(trial.evaluated, expected.evaluated.slice(0, begin, end), "evaluated" + where);
    for (const at::Tensor& part : {trial.by_weight, trial.by_bias}) comm.all_reduce(part, ReduceOp::kSum);
    expect_close(trial.by_weight, expected.by_weight, "gradient of weight" + where);
    expect_close(trial.by_bias, expected.by_bias, "gradient of bias" + where);
  });
}

class NormOfForm : public ::testing::TestWithParam<Form> {};

TEST_P(NormOfForm, IsTorchsOnOneRank) {
  expect_torch_on({kRows}, GetParam());
}

TEST_P(NormOfForm, IsTheSameOnAnyNumberOfRanksForAnyShares) {
  expect_torch_on({6, 5}, GetParam());
  expect_torch_on({4, 0, 7}, GetParam());
  expect_torch_on({0, 1, 10, 0}, GetParam());
  expect_torch_on({3, 3, 3, 2}, GetParam());
}

TEST_P(NormOfForm, InPiecesIsTheSameNorm) {
  const testing::PlainBatchNormPieces pieces;
  expect_torch_on({kRows}, GetParam(), &pieces);
  expect_torch_on({6, 5}, GetParam(), &pieces);
  expect_torch_on({4, 0, 7}, GetParam(), &pieces);
  expect_torch_on({0, 1, 10, 0}, GetParam(), &pieces);
}

TEST_P(NormOfForm, OfOneRankOnADeviceIsTorchs) {
  const Trial expected = torch_trial(GetParam());
  run_ranks(1, {}, [&](Communicator& comm) {
    GlobalBatchNorm norm(kFeatures, comm);
    norm.to(at::kDouble);
    norm.to(testing::stand_in_device(), at::kDouble);
    const Trial trial = try_norm(norm, GetParam(), 0, kRows, testing::stand_in_device());
    EXPECT_TRUE(comm.traffic().total().empty()) << "asked other ranks, of which there are none";
    expect_close(trial.outputs, expected.outputs, "outputs");
    expect_close(trial.gradients, expected.gradients, "gradients");
    expect_close(trial.by_weight, expected.by_weight, "gradient of weight");
    expect_close(trial.by_bias, expected.by_bias, "gradient of bias");
    expect_close(trial.running_mean, expected.running_mean, "running mean");
    expect_close(trial.running_variance, expected.running_variance, "running variance");
    expect_close(trial.evaluated, expected.evaluated, "evaluated");
  });
}

std::string name_of_form(const ::testing::TestParamInfo<Form>& tested) {
  if (tested.param == Form::kOfRows) return "Rows";
  return tested.param == Form::kOfMaps ? "Maps" : "ChannelsLast";
}

INSTANTIATE_TEST_SUITE_P(GlobalBatchNorm, NormOfForm,
                         ::testing::Values(Form::kOfRows, Form::kOfMaps, Form::kChannelsLast), name_of_form);

TEST(GlobalBatchNorm, CountsBatchesInIntegersOnRequest) {
  run_ranks(1, {}, [](Communicator& comm) {
    GlobalBatchNorm plain(kFeatures, comm);
    EXPECT_EQ(plain.buffers().size(), 2U);
    GlobalBatchNorm norm(kFeatures, comm, /*counts_batches=*/true);
    norm.to(at::kDouble);
    norm.forward(some_rows(1));
    norm.forward(some_rows(2));
    norm.forward(some_rows(2) * std::numeric_limits<double>::quiet_NaN());
    norm.eval();
    norm.forward(some_rows(3));
    EXPECT_EQ(norm.named_buffers()["num_batches_tracked"].scalar_type(), at::kLong);
    EXPECT_EQ(norm.named_buffers()["num_batches_tracked"].item<std::int64_t>(), 2);
  });
}

TEST(GlobalBatchNorm, EvaluationIsLocalAndTakesGradient) {
  run_ranks(2, {}, [](Communicator& comm) {
    GlobalBatchNorm norm(kFeatures, comm);
    norm.eval();
    // A collective here would wait for rank 0 for ever.
    if (comm.rank() == 0) return;
    torch::Tensor rows = some_rows(1).to(at::kFloat).requires_grad_();
    norm.forward(rows).sum().backward();
    EXPECT_TRUE(rows.grad().defined());
    EXPECT_TRUE(norm.weight.grad().defined());
  });
}

TEST(GlobalBatchNorm, UnderBf16StatisticsAreFp32) {
  run_ranks(2, {}, [](Communicator& comm) {
    // A mean of many deviations: in bf16 the sums would lose the deviations altogether.
    constexpr std::int64_t kMany = 600;
    const at::Tensor whole = (some_rows(1, kMany) + 40.0).to(at::kBFloat16);
    const at::Tensor own = whole.chunk(2)[comm.rank()];
    const at::Tensor exact = whole.to(at::kDouble);
    GlobalBatchNorm norm(kFeatures, comm);
    torch::Tensor rows = own.clone().requires_grad_();
    torch::Tensor output;
    {
      const PrecisionGuard guard(Precision::kBf16, at::kCPU);
      output = norm.forward(rows);
    }
    EXPECT_EQ(output.scalar_type(), at::kBFloat16);
    const at::Tensor expected = (own.to(at::kDouble) - exact.mean(0)) / (exact.var(0, false) + 1e-5).sqrt();
    constexpr double kBf16Rounding = 1.0 / 256.0;
    EXPECT_TRUE(at::allclose(output.detach().to(at::kDouble), expected, kBf16Rounding, 1e-4));
    output.square().sum().backward();
    EXPECT_EQ(rows.grad().scalar_type(), at::kBFloat16);
    EXPECT_EQ(norm.weight.grad().scalar_type(), at::kFloat);
    constexpr double kMomentum = 0.1;
    EXPECT_TRUE(at::allclose(norm.named_buffers()["running_mean"].to(at::kDouble), kMomentum * exact.mean(0), 1e-6, 0));
  });
}

class StillNorm : public ::testing::TestWithParam<const BatchNormPieces*> {};

TEST_P(StillNorm, ASingleRowOrOneThatIsNotFiniteLeavesRunningStatisticsAlone) {
  run_ranks(2, {}, [](Communicator& comm) {
    GlobalBatchNorm norm(kFeatures, comm, /*counts_batches=*/false, GetParam());
    norm.forward(some_rows(1).to(at::kFloat));
    const at::Tensor mean = norm.named_buffers()["running_mean"].clone();
    const at::Tensor variance = norm.named_buffers()["running_var"].clone();
    const at::Tensor single = at::ones({comm.rank() == 0 ? 1 : 0, kFeatures});
    EXPECT_TRUE(at::equal(norm.forward(single).detach(), at::zeros_like(single))) << "its own mean";
    EXPECT_EQ(norm.forward(at::empty({0, kFeatures})).size(0), 0);
    const double poison = comm.rank() == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0;
    norm.forward(at::full({3, kFeatures}, poison));
    EXPECT_TRUE(at::equal(norm.named_buffers()["running_mean"], mean));
    EXPECT_TRUE(at::equal(norm.named_buffers()["running_var"], variance));
  });
}

const testing::PlainBatchNormPieces plain_pieces;
INSTANTIATE_TEST_SUITE_P(GlobalBatchNorm, StillNorm, ::testing::Values(nullptr, &plain_pieces));

TEST(GlobalBatchNorm, RefusesOtherShapes) {
  run_ranks(1, {}, [](Communicator& comm) {
    GlobalBatchNorm norm(kFeatures, comm);
    EXPECT_THROW(norm.forward(at::ones({2, kFeatures + 1})), std::invalid_argument);
    EXPECT_THROW(norm.forward(at::ones({kFeatures})), std::invalid_argument);
    EXPECT_THROW(norm.forward(at::ones({2, kFeatures, 3})), std::invalid_argument);
  });
}

TEST(GlobalBatchNorm, InAHeadKeyAndQueryKeepStatisticsOfTheirOwn) {
  run_ranks(2, {}, [](Communicator& comm) {
    const ConvEncoderOptions shape{.channels = {8}, .strides = {2}, .groups = 2};
    const ProjectionHeadOptions head{.hidden = 6, .output = 4, .norm = HeadNorm::kBatch};
    auto query = std::make_shared<ContrastiveEncoder>(std::make_shared<ConvEncoder>(shape), head, &comm);
    initialize(*query, 3);
    EXPECT_TRUE(at::equal(query->named_parameters()["head.norm.weight"], at::ones({6})));
    MomentumEncoder key(query);
    const at::Tensor before = query->named_buffers()["head.norm.running_mean"].clone();
    const at::Tensor keys = key.forward(at::rand({3, 1, 8, 8}));
    EXPECT_FALSE(keys.requires_grad());
    key.follow(0.5);
    EXPECT_TRUE(at::equal(query->named_buffers()["head.norm.running_mean"], before));
    EXPECT_FALSE(at::equal(key.encoder().named_buffers()["head.norm.running_mean"], before));
  });
}

TEST(ProjectionHead, HasANormWhereTheObjectiveNeedsOne) {
  EXPECT_EQ(choose_head_norm(std::nullopt, true), HeadNorm::kBatch);
  EXPECT_EQ(choose_head_norm(std::nullopt, false), HeadNorm::kNone);
  EXPECT_EQ(choose_head_norm(HeadNorm::kNone, true), HeadNorm::kNone);
  EXPECT_EQ(choose_head_norm(HeadNorm::kBatch, false), HeadNorm::kBatch);
  EXPECT_THROW(ProjectionHead(4, {.hidden = 3, .output = 2, .norm = HeadNorm::kBatch}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
