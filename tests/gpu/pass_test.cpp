// The pass on a GPU against the pass by its definition; tests/samplers/pass/cuda/cuda_pass_test.cpp runs the kernel's
// code without one.

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include "samplers/pass/attention_pass.h"
#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/cuda/cuda_run.h"
#include "samplers/pass/device_pass.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron::testing {
namespace {

class PassOnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU, found none";
  }
};

Rows on_gpu(Rows rows) {
  for (at::Tensor* tensor : {&rows.vectors, &rows.validity, &rows.slots, &rows.labels}) {
    if (tensor->defined()) *tensor = tensor->cuda();
  }
  return rows;
}

Rows rows_in(at::ScalarType type, std::int64_t count, std::int64_t width, const at::Tensor& valid = at::Tensor()) {
  return on_gpu(make_rows(unit(count, width, 1).to(type), valid));
}

PassRequest request_of(std::int64_t queries, std::int64_t width, const std::vector<double>& scales) {
  return plain_request(unit(queries, width, 2).cuda(), scales);
}

void expect_kernel_equals_plain(const Rows& rows, const PassRequest& request) {
  ASSERT_TRUE(CudaPass().uses_kernel(rows, request));
  expect_equal_to_plain(CudaPass(), rows, request);
}

void expect_same_bits(const PassResult& a, const PassResult& b) {
  for (std::size_t i = 0; i < a.terms.size(); ++i) {
    EXPECT_TRUE(at::equal(a.terms[i].value, b.terms[i].value));
    EXPECT_TRUE(at::equal(a.terms[i].gradient, b.terms[i].gradient));
  }
  EXPECT_TRUE(at::equal(a.max, b.max));
  EXPECT_TRUE(at::equal(a.count, b.count));
}

/// Until it ends, an operation of ATen that waits for the device throws.
class NoWaiting {
 public:
  NoWaiting() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR); }
  ~NoWaiting() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED); }
};

TEST_F(PassOnGpu, KernelEqualsPlainInEveryShape) {
  for (const std::int64_t width : {8, 40, 64, 128, 200, 256}) {
    for (const double tau : {0.2, 0.01}) {
      for (const std::int64_t count : {1, 65, 3000}) {
        expect_kernel_equals_plain(rows_in(at::kBFloat16, count, width), request_of(150, width, {1.0 / tau}));
        if (width > 128) continue;
        expect_kernel_equals_plain(rows_in(at::kBFloat16, count, width), request_of(150, width, {1.0 / tau, 3.0}));
      }
    }
  }
}

TEST_F(PassOnGpu, KernelKnowsBiasHolesAndExclusions) {
  at::Tensor valid = at::arange(2500).remainder(3) != 0;
  valid.narrow(0, 700, 900).fill_(false);
  const Rows rows = rows_in(at::kBFloat16, 2500, 64, valid);
  for (const std::vector<double>& scales : std::vector<std::vector<double>>{{5.0}, {100.0, 0.0}, {0.0, -5.0}}) {
    PassRequest request = request_of(200, 64, scales);
    request.candidates.exclusions =
        at::tensor({0, 1, 3, 1, 199, 1, 3, 2498, 65, 2000, 68, 2498}, at::kLong).view({-1, 2});
    expect_kernel_equals_plain(rows, request);
    request.bias = at::linspace(-3.0, 3.0, 2500, at::TensorOptions(at::kDouble).device(at::kCUDA));
    expect_kernel_equals_plain(rows, request);
  }
}

TEST_F(PassOnGpu, KernelEqualsBlockedPassOverALargeBank) {
  const Rows rows = rows_in(at::kBFloat16, 100'003, 128);
  PassRequest request = request_of(1000, 128, {100.0});
  const PassResult result = CudaPass().run(rows, request);
  request.candidates.queries = request.candidates.queries.to(at::kDouble);
  const PassResult expected = BlockedPass().run(rows, request);
  EXPECT_TRUE(at::allclose(result.terms[0].value.to(at::kDouble), expected.terms[0].value, 0.0, 2e-3));
  const at::Tensor off = (result.terms[0].gradient.to(at::kDouble) - expected.terms[0].gradient).norm(2, {1});
  EXPECT_TRUE((off <= 8e-3 * expected.terms[0].gradient.norm(2, {1})).all().item<bool>()) << off.max();
  EXPECT_TRUE(at::allclose(result.max.to(at::kDouble), expected.max, 0.0, 2e-5));
}

TEST_F(PassOnGpu, FilterFindsAllThatReachTheThreshold) {
  const Rows rows = rows_in(at::kBFloat16, 5000, 32);
  const PassRequest request = request_of(300, 32, {100.0});
  const at::Tensor scores = request.candidates.queries.mm(rows.vectors.to(at::kFloat).t());
  const at::Tensor thresholds = at::full({300}, 0.35, scores.options());
  FilteredRows filtered;
  const auto device = cuda_scan_device();
  CudaRun run(*device, rows, request, 2);
  run.filter(thresholds, 512, filtered);
  run.run();
  // Scores on the threshold's brink may fall to either side.
  const at::Tensor surely = (scores >= 0.35 + 1e-4).sum(1).to(at::kInt);
  const at::Tensor perhaps = (scores >= 0.35 - 1e-4).sum(1).to(at::kInt);
  EXPECT_TRUE((filtered.counts >= surely).logical_and(filtered.counts <= perhaps).all().item<bool>());
  ASSERT_LE(filtered.counts.max().item<int>(), 512);
  ASSERT_GT(filtered.counts.max().item<int>(), 0);
  const at::Tensor used = at::arange(512, filtered.counts.options()).unsqueeze(0) < filtered.counts.unsqueeze(1);
  const at::Tensor own = scores.gather(1, filtered.rows.to(at::kLong).masked_fill(~used, 0));
  EXPECT_TRUE((own - filtered.scores).abs().masked_select(used).max().item<float>() < 1e-4f);
}

TEST_F(PassOnGpu, BestRowsAreThoseByExactScore) {
  const Rows rows = rows_in(at::kBFloat16, 20'000, 64, at::arange(20'000).remainder(7) != 3);
  for (const std::vector<double>& scales : std::vector<std::vector<double>>{{}, {5.0}, {100.0, 3.0}}) {
    for (const std::int64_t m : {1, 100, 3000}) {
      PassRequest request = request_of(300, 64, scales);
      request.best = m;
      request.candidates.exclusions = at::tensor({0, 1, 299, 19'999, 5, 6}, at::kLong).view({-1, 2});
      ASSERT_TRUE(CudaPass().uses_kernel(rows, request));
      EXPECT_TRUE(at::equal(CudaPass().run(rows, request).best,
                            exhaustive_best_keys(rows, request.candidates, SelectionOrder{}, m)));
      EXPECT_TRUE(at::equal(CudaPass().best(rows, request.candidates, SelectionOrder{}, m),
                            CudaPass().run(rows, request).best));
      const auto device = cuda_scan_device();
      CudaRun run(*device, rows, request, 1);
      run.run();
      EXPECT_LE(run.open_queries().size(0), 1) << "m " << m;
    }
  }
}

TEST_F(PassOnGpu, BestRowsOfRowsThatRoundingHides) {
  // Some closer together than bf16 tells, some that all tie.
  const at::Tensor base = unit(1, 64, 1);
  const at::Tensor vectors =
      at::cat({base + unit(4000, 64, 3) * 0.005, unit(1, 64, 4).repeat({4000, 1}), unit(4000, 64, 5)});
  const Rows rows = on_gpu(make_rows(vectors.to(at::kBFloat16)));
  PassRequest request = request_of(3, 64, {5.0});
  request.candidates.queries.copy_(at::cat({base, unit(1, 64, 4), unit(1, 64, 6)}));
  request.best = 50;
  EXPECT_TRUE(at::equal(CudaPass().run(rows, request).best,
                        exhaustive_best_keys(rows, request.candidates, SelectionOrder{}, 50)));
}

TEST_F(PassOnGpu, EqualInputsGiveEqualBits) {
  const Rows rows = rows_in(at::kBFloat16, 30'000, 128);
  PassRequest request = request_of(700, 128, {5.0, 100.0});
  request.candidates.exclusions = at::tensor({0, 1, 699, 29'999}, at::kLong).view({-1, 2});
  const PassResult first = CudaPass().run(rows, request);
  for (int repeat = 0; repeat < 5; ++repeat) expect_same_bits(CudaPass().run(rows, request), first);
}

TEST_F(PassOnGpu, StepNeitherWaitsForTheDeviceNorAllocates) {
  const Rows rows = rows_in(at::kBFloat16, 30'000, 128, at::arange(30'000) > 100);
  PassRequest request = request_of(700, 128, {5.0});
  request.candidates.exclusions = at::tensor({0, 101, 699, 29'999}, at::kLong).view({-1, 2});
  const auto allocations = [] {
    return c10::cuda::CUDACachingAllocator::getDeviceStats(c10::cuda::current_device()).num_device_alloc;
  };
  CudaPass().run(rows, request);
  const std::int64_t before = allocations();
  {
    const NoWaiting no_waiting;
    for (int step = 0; step < 3; ++step) CudaPass().run(rows, request);
  }
  EXPECT_EQ(allocations(), before);
}

TEST_F(PassOnGpu, RunsInAGraph) {
  const Rows rows = rows_in(at::kBFloat16, 30'000, 128);
  const PassRequest request = request_of(700, 128, {5.0, 100.0});
  const c10::cuda::CUDAStreamGuard side(c10::cuda::getStreamFromPool());
  CudaPass().run(rows, request);
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  const PassResult captured = CudaPass().run(rows, request);
  graph.capture_end();
  for (const std::uint64_t seed : {5, 6}) {
    request.candidates.queries.copy_(unit(700, 128, seed));
    graph.replay();
    expect_same_bits(captured, CudaPass().run(rows, request));
  }
}

TEST_F(PassOnGpu, AGraphExcludesWhatTheDeviceSays) {
  const Rows rows = rows_in(at::kBFloat16, 30'000, 128, at::arange(30'000) > 100);
  PassRequest request = request_of(700, 128, {5.0, 100.0});
  request.candidates.exclusions = at::full({50, 2}, -1, at::kLong).cuda();
  const c10::cuda::CUDAStreamGuard side(c10::cuda::getStreamFromPool());
  CudaPass().run(rows, request);
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  const PassResult captured = CudaPass().run(rows, request);
  graph.capture_end();
  for (const std::int64_t used : {0, 7, 50}) {
    const at::Tensor query = at::arange(used, at::kLong) * 13;
    const at::Tensor row = 29'999 - at::arange(used, at::kLong) * 31;
    request.candidates.exclusions.fill_(-1);
    request.candidates.exclusions.slice(0, 0, used).copy_(at::stack({query, row}, 1));
    graph.replay();
    PassRequest from_host = request;
    from_host.candidates.exclusions = request.candidates.exclusions.cpu();
    expect_same_bits(captured, CudaPass().run(rows, from_host));
    EXPECT_EQ(captured.count.sum().item<std::int64_t>(), 700 * std::int64_t{30'000 - 101} - used);
  }
}

TEST_F(PassOnGpu, AttentionEqualsPlainAndGoesFirst) {
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    const Rows rows = rows_in(type, 3000, 64);
    PassRequest request = request_of(70, 64, {5.0, 10.0});
    request.want_max = false;
    ASSERT_TRUE(AttentionPass::serves(rows, request));
    expect_equal_to_plain(CudaPass(), rows, request);
  }
}

TEST_F(PassOnGpu, DevicePassServesRowsOfAnyTypeOnTheGpu) {
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    PassRequest request = request_of(70, 64, {5.0});
    request.candidates.exclusions = at::tensor({0, 1, 69, 2999}, at::kLong).view({-1, 2});
    expect_equal_to_plain(DevicePass(), rows_in(type, 3000, 64), request);
  }
}

}  // namespace
}  // namespace negatron::testing
