#include "runtime/evaluation/equal_pauses.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/evaluation/evaluate_knn.h"
#include "runtime/evaluation/evaluate_views.h"

namespace negatron {
namespace {

ImagesInMemory some_images(std::int64_t count) {
  const at::Tensor pixels = at::arange(count * 16, at::kLong).remainder(251).to(at::kByte).view({count, 1, 4, 4});
  return ImagesInMemory(pixels, at::arange(count, at::kLong).remainder(3));
}

/// How often each rank paused in an evaluation of 7 training and 3 test images over three ranks, in batches of 2: a
/// rank has 2 or 3 of the one and 1 of the other.
TEST(EqualPauses, AreTakenEquallyOftenOnAllRanks) {
  run_ranks(3, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const ImagesInMemory train = some_images(7), test = some_images(3);
    std::int64_t pauses = 0;
    const auto pause = [&] {
      ++pauses;
      // A rank that paused elsewhere, or not at all, would be in another collective.
      const at::Tensor count = at::full({1}, pauses, at::kLong);
      comm.all_reduce(count, ReduceOp::kMin);
      EXPECT_EQ(count.item<std::int64_t>(), pauses);
    };
    KnnEvaluationOptions options;
    options.knn.k = 2;
    options.format = ViewFormat::of(train);
    options.batch = 2;
    const double silent = evaluate_knn(comm, pixels_as_features, train, test, options);
    options.pause = pause;
    EXPECT_EQ(evaluate_knn(comm, pixels_as_features, train, test, options), silent);
    EXPECT_EQ(pauses, 2 + 1 + 1) << "batches of training images, of test images, and a round of queries";
    pauses = 0;
    ViewEvaluationOptions views;
    views.batch = 1;
    views.format = options.format;
    views.pause = pause;
    evaluate_views(comm, pixels_as_features, train, views);
    EXPECT_EQ(pauses, 3 + 3) << "either view";
  });
}

TEST(EqualPauses, WhatAllThrowEndsTheEvaluationForAll) {
  run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const ImagesInMemory images = some_images(9);
    for (const int last : {1, 2, 3, 4, 5, 6}) {
      int pauses = 0;
      KnnEvaluationOptions options;
      options.knn.k = 2;
      options.format = ViewFormat::of(images);
      options.batch = 2;
      options.pause = [&] {
        if (++pauses == last) throw std::runtime_error("enough");
      };
      EXPECT_THROW(evaluate_knn(comm, pixels_as_features, images, images, options), std::runtime_error);
      EXPECT_EQ(pauses, last);
      comm.barrier();
    }
  });
}

}  // namespace
}  // namespace negatron
