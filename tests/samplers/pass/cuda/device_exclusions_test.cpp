#include "samplers/pass/cuda/device_exclusions.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/pass/candidates.h"
#include "samplers/pass/cuda/cuda_pass.h"
#include "tests/samplers/pass/cuda/emulated_device.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

constexpr std::int64_t kQueries = 70;
constexpr std::int64_t kRows = 300;

at::Tensor pairs_of(const std::vector<std::int64_t>& numbers) {
  return at::tensor(numbers, at::kLong).view({-1, 2});
}

/// Pairs in an order that no chunk has, and some that exclude nothing.
at::Tensor padded_pairs() {
  return pairs_of({-1, 12, 69, 299, 3, 0, -1, -1, 3, 299, 2, 31, 2, 32, 5, -1, 69, 0});
}

TEST(DeviceExclusions, AreInTheOrderOfRowsBehindThoseThatExcludeNothing) {
  const DeviceExclusions own = DeviceExclusions::in_place(padded_pairs());
  EXPECT_EQ(own.pairs().scalar_type(), at::kInt);
  EXPECT_TRUE(at::equal(own.pairs().slice(0, 0, 3), at::full({3, 2}, -1, at::kInt)));
  EXPECT_TRUE(at::equal(own.pairs().select(1, 0), at::tensor({-1, -1, -1, 0, 0, 31, 32, 299, 299}, at::kInt)));
  EXPECT_TRUE(at::equal(own.chunk_begins(10, 32), at::tensor({3, 6, 7, 7, 7, 7, 7, 7, 7, 7, 9}, at::kInt)));
  at::Tensor count = at::zeros({kQueries}, at::kLong);
  for (const std::int64_t query : {2, 3, 69}) count[query].fill_(2);
  EXPECT_TRUE(at::equal(own.count(kQueries), count));
}

TEST(DeviceExclusions, FromTheHostAreTheSameWithoutThoseThatExcludeNothing) {
  const DeviceExclusions own = DeviceExclusions::in_place(padded_pairs());
  const DeviceExclusions copied = DeviceExclusions::from_host(padded_pairs(), kQueries, kRows, at::kCPU);
  ASSERT_EQ(copied.pairs().size(0), own.pairs().size(0) - 3);
  EXPECT_TRUE(at::equal(copied.pairs().select(1, 0), own.pairs().slice(0, 3).select(1, 0)));
  EXPECT_TRUE(at::equal(copied.count(kQueries), own.count(kQueries)));
  EXPECT_TRUE(at::equal(copied.chunk_begins(10, 32), own.chunk_begins(10, 32) - 3));
  const DeviceExclusions none = DeviceExclusions::from_host(pairs_of({-1, 5}), kQueries, kRows, at::kCPU);
  EXPECT_TRUE(at::equal(none.chunk_begins(10, 32), at::zeros({11}, at::kInt)));
  EXPECT_TRUE(at::equal(none.count(kQueries), at::zeros({kQueries}, at::kLong)));
}

TEST(DeviceExclusions, FromTheHostAreChecked) {
  for (const at::Tensor& wrong : {pairs_of({kQueries, 0}), pairs_of({0, kRows}), pairs_of({-2, 0})}) {
    EXPECT_THROW(DeviceExclusions::from_host(wrong, kQueries, kRows, at::kCPU), std::invalid_argument);
  }
}

TEST(DeviceExclusions, ThatExcludeNothingAreNotFelt) {
  const CudaPass pass(BlockedPass::kDefaultQueryBlock, std::make_shared<testing::EmulatedDevice>(4));
  const Rows rows = testing::make_rows(testing::unit(kRows, 16, 1).to(at::kBFloat16));
  PassRequest request = testing::plain_request(testing::unit(kQueries, 16, 2), {5.0});
  request.best = 10;
  request.candidates.exclusions = padded_pairs();
  ASSERT_TRUE(pass.uses_kernel(rows, request));
  testing::expect_equal_to_plain(pass, rows, request);
  const PassResult padded = pass.run(rows, request);
  request.candidates.exclusions = pairs_of({69, 299, 3, 0, 3, 299, 2, 31, 2, 32, 69, 0});
  const PassResult expected = pass.run(rows, request);
  testing::expect_close(padded, expected, 0.0);
  EXPECT_TRUE(at::equal(padded.best, expected.best));
  request.candidates.exclusions = pairs_of({-1, -1, -1, 5});
  const PassResult none = pass.run(rows, request);
  EXPECT_TRUE(at::equal(none.count, at::full({kQueries}, kRows, at::kLong)));
}

TEST(DeviceExclusions, OfSomeQueriesLeaveOutThoseThatExcludeNothing) {
  Candidates all;
  all.queries = testing::unit(kQueries, 16, 2);
  all.exclusions = padded_pairs();
  const Candidates some = select_queries(all, at::tensor({3, 69}, at::kLong));
  EXPECT_TRUE(at::equal(some.exclusions, pairs_of({1, 299, 0, 0, 0, 299, 1, 0})));
}

}  // namespace
}  // namespace negatron
