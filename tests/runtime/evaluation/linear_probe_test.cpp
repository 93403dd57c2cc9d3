#include "runtime/evaluation/linear_probe.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"

namespace negatron::testing {
namespace {

/// Three clouds that overlap, in columns of very different size, one of them always the same.
struct Clouds {
  at::Tensor rows;
  at::Tensor labels;
};

Clouds clouds(std::int64_t count, std::uint64_t seed) {
  at::manual_seed(seed);
  Clouds made;
  made.labels = at::arange(count, at::kLong).remainder(3);
  made.rows = at::randn({count, 6}) + 0.8 * at::one_hot(made.labels, 6).to(at::kFloat);
  made.rows.mul_(at::tensor({1.0F, 100.0F, 0.01F, 1.0F, 1.0F, 0.0F})).add_(3.0);
  return made;
}

/// Every rank's part of a ragged split, the last one without training rows.
ProbeRows part_of(const Clouds& whole, int ranks, int rank, bool none_on_last) {
  const int holders = none_on_last && ranks > 1 ? ranks - 1 : ranks;
  const Range own = rank < holders ? share(whole.rows.size(0), holders, rank) : Range{0, 0};
  return {whole.rows.slice(0, own.begin, own.end), whole.labels.slice(0, own.begin, own.end)};
}

LinearProbeResult probe(int ranks, const Clouds& train, const Clouds& test, const LinearProbeOptions& options) {
  LinearProbeResult result;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const LinearProbeResult own =
        linear_probe(comm, part_of(train, ranks, comm.rank(), true), part_of(test, ranks, comm.rank(), false), options);
    if (comm.rank() + 1 == ranks) result = own;
  });
  return result;
}

/// The gradient of the problem as it is written down, by autograd.
at::Tensor plain_gradient(const Clouds& data, const at::Tensor& weights, double l2) {
  const at::Tensor rows = data.rows.to(at::kDouble);
  at::Tensor deviation = rows.std(0, /*unbiased=*/false);
  deviation = at::where(deviation.lt(1e-12), at::ones_like(deviation), deviation);
  const at::Tensor z = (rows - rows.mean(0)) / deviation;
  at::Tensor learned = weights.clone().requires_grad_(true);
  const at::Tensor matrix = learned.slice(1, 0, -1);
  const at::Tensor loss = at::cross_entropy_loss(z.matmul(matrix.t()) + learned.select(1, -1), data.labels) +
                          0.5 * l2 * matrix.square().sum();
  return torch::autograd::grad({loss}, {learned}).front();
}

TEST(LinearProbe, FindsTheMinimumOfTheProblemThatIsWrittenDown) {
  const Clouds train = clouds(301, 1), test = clouds(200, 2);
  for (const double l2 : {1e-1, 1e-3}) {
    LinearProbeOptions options;
    options.classes = 3;
    options.l2 = {l2};
    const LinearProbeResult result = probe(1, train, test, options);
    EXPECT_EQ(result.l2, l2);
    EXPECT_TRUE(result.validation.empty());
    EXPECT_LT(plain_gradient(train, result.weights, l2).abs().max().item<double>(), 2e-6);
    EXPECT_GT(plain_gradient(train, result.weights * 1.01, l2).abs().max().item<double>(), 2e-6);
    // Whoever guesses is right once in three.
    EXPECT_GT(result.accuracy, 0.5);
    EXPECT_LT(result.accuracy, 1.0);
  }
}

TEST(LinearProbe, IsTheSameOnAnyNumberOfRanks) {
  const Clouds train = clouds(301, 1), test = clouds(203, 2);
  LinearProbeOptions options;
  options.classes = 3;
  const LinearProbeResult single = probe(1, train, test, options);
  EXPECT_EQ(single.validation.size(), options.l2.size());
  for (const int ranks : {2, 3, 4}) {
    const LinearProbeResult result = probe(ranks, train, test, options);
    EXPECT_EQ(result.accuracy, single.accuracy) << ranks;
    EXPECT_EQ(result.l2, single.l2) << ranks;
    EXPECT_EQ(result.validation, single.validation) << ranks;
    EXPECT_LT((result.weights - single.weights).abs().max().item<double>(), 1e-3) << ranks;
  }
}

TEST(LinearProbe, ChoosesItsPenaltyOnRowsThatItDidNotSee) {
  // Fewer rows than features, and labels without a meaning: the weaker the penalty, the better the rows are learned by
  // heart, which helps nobody.
  Clouds train = clouds(60, 3);
  train.rows = at::randn({60, 200});
  const Clouds test = {at::randn({400, 200}), at::arange(400, at::kLong).remainder(3)};
  LinearProbeOptions options;
  options.classes = 3;
  const LinearProbeResult result = probe(2, train, test, options);
  const double best = *std::max_element(result.validation.begin(), result.validation.end());
  const auto chosen = std::find(options.l2.begin(), options.l2.end(), result.l2) - options.l2.begin();
  EXPECT_EQ(result.validation.at(static_cast<std::size_t>(chosen)), best);
  EXPECT_LT(best, 0.9);
  EXPECT_NEAR(result.accuracy, 1.0 / 3.0, 0.1);
}

TEST(LinearProbe, RefusesWhatCannotBeMeant) {
  const Clouds some = clouds(30, 1), one = clouds(1, 1);
  LinearProbeOptions options;
  options.classes = 3;
  EXPECT_THROW(probe(2, one, some, options), std::invalid_argument);
  options.l2 = {};
  EXPECT_THROW(probe(1, some, some, options), std::invalid_argument);
  options.l2 = {0.0};
  EXPECT_THROW(probe(1, some, some, options), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
