#include "runtime/training/gradient_reducer.h"

#include <gtest/gtest.h>

#include <torch/autograd.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/initialization.h"
#include "runtime/encoders/projection_head.h"

namespace negatron {
namespace {

constexpr std::int64_t kSamples = 3;  // with 4 ranks, the last one has none

/// Two layers and one parameter that the loss never uses.
struct Model {
  at::Tensor first = at::linspace(-1.0, 1.0, 12, at::kDouble).view({3, 4}).requires_grad_();
  at::Tensor second = at::linspace(0.5, 2.0, 8, at::kDouble).view({4, 2}).requires_grad_();
  at::Tensor unused = at::ones({5}, at::kDouble).requires_grad_();
  at::Tensor scale = at::full({}, 2.0, at::kFloat).requires_grad_();

  std::vector<at::Tensor> parameters() const { return {first, second, unused, scale}; }
  /// Sum over samples [from, to) of a fixed batch.
  at::Tensor loss(Range samples) const {
    const at::Tensor batch = at::linspace(-2.0, 3.0, kSamples * 3, at::kDouble).view({kSamples, 3});
    return (at::tanh(batch.slice(0, samples.begin, samples.end).mm(first)).mm(second).pow(2).sum() * scale);
  }
};

std::vector<at::Tensor> single_device_gradients() {
  const Model model;
  model.loss({0, kSamples}).backward();
  return {model.first.grad(), model.second.grad(), at::zeros({5}, at::kDouble), model.scale.grad()};
}

class ReducedOverRanks : public ::testing::TestWithParam<int> {};

TEST_P(ReducedOverRanks, EqualsTheGradientOfTheWholeBatch) {
  const std::vector<at::Tensor> expected = single_device_gradients();
  run_ranks(GetParam(), {.check = true}, [&expected](Communicator& comm) {
    for (const std::int64_t bucket_bytes : {std::int64_t{1}, std::int64_t{100}, GradientReducer::kBucketBytes}) {
      const Model model;
      GradientReducer reducer(comm, model.parameters(), bucket_bytes);
      for (int step = 0; step < 2; ++step) {
        for (at::Tensor& parameter : model.parameters()) parameter.mutable_grad() = at::Tensor();
        const Range mine = share(kSamples, comm.size(), comm.rank());
        // A rank without samples does not run backward at all: the harder of its two choices.
        if (mine.size() > 0) model.loss(mine).backward();
        reducer.reduce();
        for (std::size_t i = 0; i < expected.size(); ++i) {
          const at::Tensor gradient = model.parameters()[i].grad();
          if (comm.size() == 1 && !gradient.defined()) continue;
          EXPECT_TRUE(gradient.defined() && gradient.sizes() == expected[i].sizes() &&
                      gradient.scalar_type() == expected[i].scalar_type() &&
                      at::allclose(gradient, expected[i], 1e-6, 1e-12))
              << "rank " << comm.rank() << ", parameter " << i << ", step " << step << ", bucket " << bucket_bytes;
        }
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, ReducedOverRanks, ::testing::Values(1, 2, 3, 4));

// Two heads in a row, each met twice, as BYOL's projection and prediction of two views.
TEST_P(ReducedOverRanks, TakesTurnsWithTheCollectivesOfBatchNormsInBackward) {
  static constexpr std::int64_t kFeatures = 3;
  const auto gradients = [](Communicator& comm, std::int64_t bucket_bytes) {
    const ProjectionHeadOptions shape{.hidden = 4, .output = kFeatures, .norm = HeadNorm::kBatch};
    torch::nn::Module heads;
    auto projection = heads.register_module("projection", std::make_shared<ProjectionHead>(kFeatures, shape, &comm));
    auto prediction = heads.register_module("prediction", std::make_shared<ProjectionHead>(kFeatures, shape, &comm));
    initialize(heads, 1);
    heads.to(at::kDouble);
    GradientReducer reducer(comm, heads.parameters(), bucket_bytes);
    const at::Tensor batch = at::linspace(-2.0, 3.0, 2 * kSamples * kFeatures, at::kDouble).sin();
    const at::Tensor views = batch.view({2, kSamples, kFeatures});
    const Range mine = share(kSamples, comm.size(), comm.rank());
    torch::Tensor loss = at::zeros({}, at::kDouble);
    for (std::int64_t view = 0; view < 2; ++view) {
      const at::Tensor own = views[view].slice(0, mine.begin, mine.end);
      loss = loss + (prediction->forward(projection->forward(own)) * own).sum();
    }
    loss.backward();
    reducer.reduce();
    std::vector<at::Tensor> parts;
    for (const at::Tensor& parameter : heads.parameters()) parts.push_back(parameter.grad().flatten());
    return at::cat(parts);
  };
  at::Tensor expected;
  run_ranks(1, {}, [&](Communicator& comm) { expected = gradients(comm, 1); });
  run_ranks(GetParam(), {.check = true}, [&](Communicator& comm) {
    for (const std::int64_t bucket_bytes : {std::int64_t{1}, std::int64_t{100}, GradientReducer::kBucketBytes}) {
      EXPECT_TRUE(at::allclose(gradients(comm, bucket_bytes), expected, 1e-10, 1e-12))
          << "rank " << comm.rank() << ", bucket " << bucket_bytes;
    }
  });
}

TEST(GradientReducer, OneRankDoesNothing) {
  run_ranks(1, {}, [](Communicator& comm) {
    const Model model;
    GradientReducer reducer(comm, model.parameters());
    model.loss({0, kSamples}).backward();
    const void* const before = model.first.grad().const_data_ptr();
    reducer.reduce();
    EXPECT_EQ(model.first.grad().const_data_ptr(), before);
    EXPECT_TRUE(comm.traffic().total().empty());
  });
}

/// All-reduces that this rank has started so far.
std::int64_t sums_started(const Communicator& comm) {
  return comm.traffic().total().at("all_reduce").calls;
}

TEST(GradientReducer, MovesEachGradientOnceInAsManyCollectivesAsBuckets) {
  constexpr int kRanks = 2;
  run_ranks(kRanks, {}, [](Communicator& comm) {
    const Model model;
    // From the last: scale (fp32, 4 bytes) | unused (40), second (64) | first (96).
    GradientReducer reducer(comm, model.parameters(), 104);
    model.loss({0, kSamples}).backward();
    EXPECT_EQ(sums_started(comm), 1) << "unused holds back its own bucket and, for the order's sake, the one after";
    reducer.reduce();
    const Traffic moved = comm.traffic().total().at("all_reduce");
    EXPECT_EQ(moved.calls, 3);
    // One element of 4 or 8 bytes does not split evenly over two ranks.
    constexpr std::int64_t kBytes = 4 + 104 + 96;
    EXPECT_NEAR(static_cast<double>(moved.bytes_sent), 2.0 * kBytes * (kRanks - 1) / kRanks, 8.0);
  });
}

TEST(GradientReducer, StartsBucketsDuringBackwardInBucketOrder) {
  run_ranks(2, {}, [](Communicator& comm) {
    const Model model;
    // One bucket each, started as second, first.
    GradientReducer reducer(comm, {model.first, model.second}, 1);
    model.loss({0, kSamples}).backward();
    EXPECT_EQ(sums_started(comm), 2);
    reducer.reduce();

    const Model other;
    // `unused` is last registered, so first in order: nothing may overtake it.
    GradientReducer held_back(comm, {other.first, other.second, other.unused}, 1);
    other.loss({0, kSamples}).backward();
    EXPECT_EQ(sums_started(comm), 2) << "none of the second reducer's";
    held_back.reduce();
    EXPECT_TRUE(at::equal(other.unused.grad(), at::zeros({5}, at::kDouble)));
  });
}

TEST(GradientReducer, RefusesASecondBackwardBeforeReduce) {
  run_ranks(2, {}, [](Communicator& comm) {
    const Model model;
    GradientReducer reducer(comm, {model.first, model.second});
    model.loss({0, kSamples}).backward();
    EXPECT_THROW(model.loss({0, kSamples}).backward(), std::logic_error);
    reducer.reduce();
  });
}

TEST(GradientReducer, LeavesNoHookBehind) {
  run_ranks(2, {}, [](Communicator& comm) {
    const Model model;
    { const GradientReducer reducer(comm, model.parameters()); }
    model.loss({0, kSamples}).backward();
    EXPECT_TRUE(comm.traffic().total().empty());
  });
}

}  // namespace
}  // namespace negatron
