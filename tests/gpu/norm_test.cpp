// ATen's pieces of a batch norm over ranks, on a GPU, beside their formulas. What puts them together is tested on the
// host (tests/runtime/encoders/global_batch_norm_test.cpp).

#include <gtest/gtest.h>

#include <c10/cuda/CUDAFunctions.h>

#include "tests/runtime/encoders/plain_batch_norm_pieces.h"

namespace negatron::testing {
namespace {

using Statistics = BatchNormPieces::Statistics;
using Sums = BatchNormPieces::Sums;

void expect_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(actual.scalar_type(), expected.scalar_type()) << what;
  ASSERT_EQ(actual.suggest_memory_format(), expected.suggest_memory_format()) << what;
  const at::Tensor far = (actual - expected).to(at::kDouble).abs().max();
  EXPECT_LE(far.item<double>(), tolerance * expected.to(at::kDouble).abs().max().item<double>()) << what;
}

void expect_the_formulas(const at::Tensor& samples, double tolerance) {
  const BatchNormPieces& pieces = *batch_norm_pieces_of(at::kCUDA);
  const PlainBatchNormPieces plain;
  const std::int64_t features = samples.size(1);
  const at::TensorOptions numbers =
      samples.options().dtype(samples.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor weight = at::rand({features}, numbers) + 0.5;
  const at::Tensor bias = at::rand({features}, numbers);
  const Statistics own = plain.statistics(samples);
  const Statistics made = pieces.statistics(samples);
  expect_near(made.mean, own.mean, tolerance, "mean");
  expect_near(made.inverse_deviation, own.inverse_deviation, tolerance, "deviation");

  // The second of three ranks has no samples. As slices of what was gathered, which is how they come.
  const at::Tensor gathered = at::rand({3, 2 * features + 1}, numbers) + 0.5;
  const at::Tensor counts = gathered.select(1, 2 * features);
  counts.copy_(at::tensor({70.0, 1e-30, 300.0}, at::kDouble));
  const at::Tensor means = gathered.narrow(1, 0, features);
  const at::Tensor deviations = gathered.narrow(1, features, features);
  const Statistics merged = plain.merged(samples, means, deviations, counts);
  const Statistics of_all = pieces.merged(samples, means, deviations, counts);
  expect_near(of_all.mean, merged.mean, tolerance, "merged mean");
  expect_near(of_all.inverse_deviation, merged.inverse_deviation, tolerance, "merged deviation");
  // The first one without.
  counts.copy_(at::tensor({1e-30, 70.0, 300.0}, at::kDouble));
  EXPECT_TRUE(pieces.merged(samples, means, deviations, counts).mean.isfinite().all().item<bool>());

  expect_near(pieces.normalized(samples, weight, bias, merged), plain.normalized(samples, weight, bias, merged),
              tolerance, "output");
  const at::Tensor arriving = at::rand_like(samples) - 0.25;
  const Sums expected = plain.backward_sums(arriving, samples, weight, merged);
  const Sums sums = pieces.backward_sums(arriving, samples, weight, merged);
  expect_near(sums.of_arriving, expected.of_arriving, tolerance, "sum of what arrives");
  expect_near(sums.of_products, expected.of_products, tolerance, "sum of products");
  expect_near(sums.by_weight, expected.by_weight, tolerance, "gradient of the weight");
  expect_near(sums.by_bias, expected.by_bias, tolerance, "gradient of the bias");
  const at::Tensor whole = at::tensor({70, 0, 300}, at::TensorOptions(at::kInt)).to(samples.device());
  expect_near(pieces.by_samples(arriving, samples, weight, merged, expected, whole),
              plain.by_samples(arriving, samples, weight, merged, expected, whole), tolerance, "gradient of samples");
}

TEST(BatchNormPieces, AreTheirFormulasOnAGpu) {
  if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU(s), found 0";
  const std::pair<at::ScalarType, double> types[] = {{at::kDouble, 1e-11}, {at::kFloat, 1e-4}, {at::kBFloat16, 2e-2}};
  for (const auto& [type, tolerance] : types) {
    SCOPED_TRACE(c10::toString(type));
    const at::TensorOptions options = at::TensorOptions(type).device(at::kCUDA);
    expect_the_formulas(at::rand({48, 24}, options), tolerance);
    expect_the_formulas(at::rand({6, 24, 7, 5}, options), tolerance);
    expect_the_formulas(at::rand({6, 24, 7, 5}, options).contiguous(at::MemoryFormat::ChannelsLast), tolerance);
  }
}

}  // namespace
}  // namespace negatron::testing
