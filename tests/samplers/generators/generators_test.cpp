// What generators make and minimise, by their definitions, and how they are trained on any number of ranks.

#include <cmath>
#include <mutex>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/generators/daml_generator.h"
#include "samplers/generators/negcut_generator.h"
#include "samplers/generators/noise.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kWide = 6;

GeneratorInput input_of(std::int64_t count) {
  GeneratorInput input;
  input.queries = random_unit_rows(1, 0, count, kWide);
  input.keys = random_unit_rows(2, 0, count, kWide);
  input.seeds = random_unit_rows(3, 0, count, kWide);
  input.first = 11;
  input.step = 4;
  return input;
}

NegcutOptions negcut_options() {
  NegcutOptions options;
  options.width = kWide;
  options.count = 5;
  options.noise = 3;
  options.hidden = 7;
  options.diversity = 0.5;
  options.seed = 9;
  return options;
}

TEST(Noise, IsNormalAndDependsOnTheQueryAlone) {
  const at::Tensor noise = normal_noise(3, 2, 0, {2000, 4, 5});
  // 40,000 numbers: five deviations of the mean, and of the variance.
  EXPECT_NEAR(noise.mean().item<double>(), 0.0, 5.0 / std::sqrt(40000.0));
  EXPECT_NEAR(noise.var().item<double>(), 1.0, 5.0 * std::sqrt(2.0 / 40000.0));
  EXPECT_TRUE(at::equal(normal_noise(3, 2, 700, {20, 4, 5}), noise.narrow(0, 700, 20)));
  EXPECT_FALSE(at::equal(normal_noise(3, 3, 700, {20, 4, 5}), noise.narrow(0, 700, 20)));
}

TEST(Negcut, MakesUnitRowsOfQueryAndNoiseAndKeepsThemApart) {
  const NegcutGenerator generator(negcut_options(), at::kDouble);
  const GeneratedNegatives made = generator.make(input_of(4));
  ASSERT_EQ(made.vectors.sizes(), (std::vector<std::int64_t>{4, 5, kWide}));
  EXPECT_TRUE(at::allclose(made.vectors.norm(2, {2}), at::ones({4, 5}, at::kDouble)));
  const at::Tensor noise = normal_noise(9, 4, 11, {4, 5, 3});
  for (std::int64_t i = 0; i < 4; ++i) {
    double sum = 0.0;
    for (std::int64_t pair = 0; pair < 2; ++pair) {
      const auto gap = [&](const at::Tensor& all) {
        return (all[i][2 * pair] - all[i][2 * pair + 1]).abs().sum().item<double>();
      };
      sum += gap(made.vectors) / gap(noise) / 2.0;
    }
    EXPECT_NEAR(made.own_loss[i].item<double>(), -0.5 * sum, 1e-12);
  }
  // Two queries of the same vector get other negatives, and the same query the same ones.
  GeneratorInput later = input_of(4);
  for (at::Tensor* rows : {&later.queries, &later.keys, &later.seeds}) *rows = rows->narrow(0, 2, 2);
  later.first = 13;
  EXPECT_TRUE(at::allclose(generator.make(later).vectors, made.vectors.narrow(0, 2, 2), 1e-13, 1e-13));
  later.first = 14;
  EXPECT_FALSE(at::allclose(generator.make(later).vectors, made.vectors.narrow(0, 2, 2), 1e-3, 1e-3));
}

TEST(Daml, MinimisesItsThreeParts) {
  DamlOptions options;
  options.width = kWide;
  options.hidden = 7;
  options.regularization = 0.7;
  options.adversarial = 3.0;
  options.margin = 0.4;
  const DamlGenerator generator(options, at::kDouble);
  const GeneratorInput input = input_of(9);
  const GeneratedNegatives made = generator.make(input);
  ASSERT_EQ(made.vectors.sizes(), (std::vector<std::int64_t>{9, 1, kWide}));
  std::int64_t beyond = 0;
  for (std::int64_t i = 0; i < 9; ++i) {
    const auto squared = [&](const at::Tensor& one, const at::Tensor& other) {
      return (one - other).pow(2).sum().item<double>();
    };
    const at::Tensor& negative = made.vectors[i][0];
    const double to_query = squared(negative, input.queries[i]);
    const double over = to_query - squared(input.keys[i], input.queries[i]) - 0.4;
    beyond += over > 0.0 ? 1 : 0;
    const double expected = to_query + 0.7 * squared(negative, input.seeds[i]) + 3.0 * std::max(0.0, over);
    EXPECT_NEAR(made.own_loss[i].item<double>(), expected, 1e-12);
  }
  EXPECT_GT(beyond, 0);
  EXPECT_LT(beyond, 9);
}

/// A step over a small bank: the encoder's loss, the mean of the generator's own, and the gradients of all ranks.
struct GeneratorStep {
  double loss = 0.0;
  double own = 0.0;
  std::vector<at::Tensor> by_parameters;
  at::Tensor by_queries;
};

struct GeneratorJob {
  std::string sampler = "negcut";
  std::string options;
  std::string objective = "info-nce";
  std::string objective_options;
  at::ScalarType type = at::kDouble;
  double tau = 0.2;
  NegativeSource source = NegativeSource::kBank;
  /// Added to element 0 of this parameter.
  std::size_t moved = 0;
  double by = 0.0;
};

constexpr std::int64_t kAsked = 7;

GeneratorStep run_generator(const GeneratorJob& job, int ranks) {
  GeneratorStep step;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const auto own_part = [&](const at::Tensor& all) {
      const Range own = share(all.size(0), comm.size(), comm.rank());
      return all.narrow(0, own.begin, own.size()).contiguous();
    };
    Bank bank(BankOptions{13, kWide, job.type, at::kCPU, BankFill::kEmpty, 0, 13}, comm.rank(), comm.size());
    const at::Tensor none = own_part(at::full({13}, -1, at::kLong));
    bank.enqueue(own_part(random_unit_rows(3, 0, 13, kWide)).to(job.type), none, none, 0, 13);
    SamplerArguments sampler;
    sampler.options = MethodOptions("--sampler", describe_sampler(job.sampler).options, job.options);
    sampler.width = kWide;
    sampler.tensors = job.type;
    ObjectiveArguments objective;
    objective.temperature = {job.tau, false, job.type, at::kCPU};
    objective.options = MethodOptions("--objective", describe_objective(job.objective).options, job.objective_options);
    objective.bank_rows = 13;
    ContrastiveLoss loss(describe_objective(job.objective), job.source, make_objective(job.objective, objective),
                         make_sampler(job.sampler, sampler));
    const std::vector<at::Tensor> parameters = loss.generator()->parameters();
    {
      const at::NoGradGuard no_grad;
      parameters[job.moved].flatten()[0].add_(job.by);
    }
    ContrastBatch batch;
    batch.shares = {share_sizes(kAsked, comm.size()), 0};
    const at::Tensor queries = own_part(random_unit_rows(1, 0, kAsked, kWide)).to(job.type).requires_grad_();
    at::Tensor keys = random_unit_rows(1, 0, kAsked, kWide) + 0.5 * random_unit_rows(2, 0, kAsked, kWide);
    keys = own_part(keys / keys.norm(2, {1}, true)).to(job.type);
    const ContrastOutput output = loss.begin(comm, &bank, batch, queries).finish(keys);
    output.loss.backward();
    const auto sum = [&](const at::Tensor& part) {
      const at::Tensor all = part.detach().clone();
      comm.all_reduce(all, ReduceOp::kSum);
      return all;
    };
    GeneratorStep own;
    own.loss = sum(output.loss.reshape({1})).item<double>();
    own.own = sum(output.metrics.at("generator_loss").reshape({1})).item<double>() / kAsked;
    for (const at::Tensor& parameter : parameters) own.by_parameters.push_back(sum(parameter.grad()));
    own.by_queries = comm.all_gather(queries.grad().contiguous(), batch.shares.sizes);
    if (comm.rank() == 0) step = own;
  });
  return step;
}

/// Of a share of the encoder's loss and of its own, by central differences; the encoder's loss is what it would be with
/// constants.
void expect_gradients(const GeneratorJob& job, double share_of_loss) {
  const GeneratorStep alone = run_generator(job, 1);
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < alone.by_parameters.size(); ++i) {
    GeneratorJob moved = job;
    moved.moved = i;
    const auto minimised = [&](double by) {
      moved.by = by;
      const GeneratorStep step = run_generator(moved, 1);
      return share_of_loss * step.loss + step.own;
    };
    const double expected = (minimised(kStep) - minimised(-kStep)) / (2.0 * kStep);
    const double actual = alone.by_parameters[i].flatten()[0].item<double>();
    EXPECT_NEAR(actual, expected, 1e-7 * std::max(1.0, std::abs(expected))) << job.sampler << " parameter " << i;
  }
  for (const int ranks : {2, 3, 4}) {
    const GeneratorStep several = run_generator(job, ranks);
    EXPECT_NEAR(several.loss, alone.loss, 1e-12);
    EXPECT_TRUE(at::allclose(several.by_queries, alone.by_queries, 1e-11, 1e-13));
    for (std::size_t i = 0; i < alone.by_parameters.size(); ++i) {
      EXPECT_TRUE(at::allclose(several.by_parameters[i], alone.by_parameters[i], 1e-11, 1e-13)) << i << " on " << ranks;
    }
  }
}

TEST(Negcut, IsTrainedAgainstTheLossAndForDiversity) {
  for (const char* objective : {"info-nce", "siglip", "hcl"}) {
    GeneratorJob job;
    job.options = "n=4,noise=3,hidden=5";
    job.objective = objective;
    expect_gradients(job, -1.0);
  }
  GeneratorJob job;
  job.options = "n=4,noise=3,hidden=5,bank=off,diversity=0";
  expect_gradients(job, -1.0);
  // Sharp, and beside the keys of the batch.
  job.options = "n=4,noise=3,hidden=5";
  job.tau = 0.05;
  job.source = NegativeSource::kBankAndBatch;
  expect_gradients(job, -1.0);
}

/// The hardest negative alone counts, with a scale at which fp32 scores of two ways of computing them would differ.
TEST(Negcut, IsTrainedAlikeInSinglePrecisionWhereOnlyTheHardestCounts) {
  GeneratorJob job;
  job.options = "n=4,noise=3,hidden=5,bank=off,diversity=0";
  job.objective = "lifted";
  job.objective_options = "negatives=max";
  for (const NegativeSource source : {NegativeSource::kBank, NegativeSource::kBankAndBatch}) {
    job.source = source;
    job.type = at::kDouble;
    const GeneratorStep exact = run_generator(job, 1);
    job.type = at::kFloat;
    const GeneratorStep single = run_generator(job, 2);
    for (std::size_t i = 0; i < exact.by_parameters.size(); ++i) {
      EXPECT_GT(exact.by_parameters[i].abs().max().item<double>(), 0.0);
      EXPECT_TRUE(at::allclose(single.by_parameters[i].to(at::kDouble), exact.by_parameters[i], 1e-3, 1e-4)) << i;
    }
  }
}

TEST(Daml, IsTrainedForItselfAlone) {
  GeneratorJob job;
  job.sampler = "daml";
  job.options = "hidden=5,adversarial=2";
  expect_gradients(job, 0.0);
}

}  // namespace
}  // namespace negatron::testing
