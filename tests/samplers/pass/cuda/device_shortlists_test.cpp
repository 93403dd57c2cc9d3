// The best rows that a scan of the emulated GPU finds on its way against a full sort by exact scores.

#include "samplers/pass/cuda/device_shortlists.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/cuda/cuda_pass.h"
#include "samplers/pass/cuda/cuda_run.h"
#include "samplers/pass/selection/sample_rank.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/cuda/emulated_device.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::EmulatedDevice;
using testing::make_rows;
using testing::plain_request;
using testing::unit;

constexpr std::int64_t kWidth = 16;

/// Counts what it is asked for.
class CountingDevice : public EmulatedDevice {
 public:
  void scan(const BankScan& scan) const override {
    filtered += scan.filter.thresholds != nullptr ? 1 : 0;
    EmulatedDevice::scan(scan);
  }
  void score(const ListScoring& lists) const override {
    ++scored;
    EmulatedDevice::score(lists);
  }
  mutable int filtered = 0;
  mutable int scored = 0;
};

Rows bf16_rows(const at::Tensor& vectors, const at::Tensor& valid = at::Tensor()) {
  return make_rows(vectors.to(at::kBFloat16).contiguous(), valid);
}

PassRequest best_request(const at::Tensor& queries, std::int64_t m, const std::vector<double>& scales = {}) {
  PassRequest request = plain_request(queries, scales);
  request.best = m;
  return request;
}

const CudaPass& shortlist_pass() {
  static const CudaPass emulated(BlockedPass::kDefaultQueryBlock, std::make_shared<EmulatedDevice>(4));
  return emulated;
}

/// How many queries a scan with queries in so many parts leaves open.
std::int64_t open_queries(const Rows& rows, const PassRequest& request, int parts) {
  const EmulatedDevice device;
  CudaRun run(device, rows, request, parts);
  run.run();
  return run.open_queries().size(0);
}

void expect_plain(const Rows& rows, const PassRequest& request) {
  SCOPED_TRACE(::testing::Message() << rows.vectors.sizes() << ", m " << request.best);
  ASSERT_TRUE(shortlist_pass().uses_kernel(rows, request));
  EXPECT_TRUE(at::equal(shortlist_pass().run(rows, request).best,
                        testing::plain_best_keys(rows, request.candidates, SelectionOrder{}, request.best)));
}

TEST(DeviceShortlists, OfDuplicatesHolesAndExclusions) {
  const Rows rows = bf16_rows(unit(500, kWidth, 1).repeat({3, 1}).narrow(0, 0, 1300), at::arange(1300) % 9 != 2);
  for (const std::int64_t m : {1, 64, 1400}) {
    PassRequest request = best_request(unit(10, kWidth, 2), m);
    const at::Tensor best = slots_of_keys(testing::plain_best_keys(rows, request.candidates, SelectionOrder{}, 1));
    // The best row of query 9, which its slot tells.
    const std::int64_t row = 1299 - best[9][0].item<std::int64_t>();
    request.candidates.exclusions =
        at::tensor({std::int64_t{0}, std::int64_t{0}, std::int64_t{0}, std::int64_t{1}, std::int64_t{9}, row})
            .view({-1, 2});
    expect_plain(rows, request);
  }
}

TEST(DeviceShortlists, BesideTermsWhichDoNotNotice) {
  const Rows rows = bf16_rows(unit(1100, kWidth, 1), at::arange(1100) % 50 != 0);
  const PassRequest alone = best_request(unit(5, kWidth, 2), 30);
  testing::expect_close(shortlist_pass().run(rows, alone), testing::plain_answer(rows, alone), 1e-2);
  for (const std::vector<double>& scales : std::vector<std::vector<double>>{{5.0}, {100.0, 3.0}}) {
    const PassRequest request = best_request(unit(5, kWidth, 2), 30, scales);
    expect_plain(rows, request);
    testing::expect_close(shortlist_pass().run(rows, request),
                          shortlist_pass().run(rows, plain_request(unit(5, kWidth, 2), scales)), 0.0);
  }
}

TEST(DeviceShortlists, AreWhatThePassUses) {
  const auto device = std::make_shared<CountingDevice>();
  const CudaPass counted(BlockedPass::kDefaultQueryBlock, device);
  const Rows rows = bf16_rows(unit(1500, 64, 1));
  const PassRequest request = best_request(unit(5, 64, 2), 20, {5.0});
  ASSERT_EQ(open_queries(rows, request, 1), 0);
  counted.run(rows, request);  // tries the kernel first
  device->filtered = device->scored = 0;
  counted.run(rows, request);
  EXPECT_EQ(device->filtered, 1) << "all in one scan";
  EXPECT_EQ(device->scored, 1);
}

TEST(DeviceShortlists, SettleNearlyEveryQuery) {
  const Rows rows = bf16_rows(unit(2500, 64, 1));
  for (const std::int64_t m : {1, 20, 300, 2000}) {
    EXPECT_LE(open_queries(rows, best_request(unit(120, 64, 2), m), 1), 1) << "m " << m;
  }
}

TEST(DeviceShortlists, SettleRowsThatScoreAlikeWhileListsHoldThem) {
  const at::Tensor base = unit(1, 64, 1);
  const Rows rows = bf16_rows(at::cat({base * 0.999 + unit(200, 64, 3) * 0.005, unit(1400, 64, 4)}));
  EXPECT_EQ(open_queries(rows, best_request(base, 20), 1), 0);
}

TEST(DeviceShortlists, SearchAgainInTwoPartsWhereOneIsTooCoarse) {
  // More rows than a list holds score some 1e-4 apart.
  const at::Tensor base = unit(1, 64, 1);
  const Rows rows = bf16_rows(at::cat({base * 0.999 + unit(800, 64, 3) * 0.005, unit(1000, 64, 4)}));
  const PassRequest request = best_request(base.repeat({3, 1}), 20);
  ASSERT_EQ(open_queries(rows, request, 1), 3);
  ASSERT_EQ(open_queries(rows, request, 2), 0);
  const auto device = std::make_shared<CountingDevice>();
  const CudaPass counted(BlockedPass::kDefaultQueryBlock, device);
  counted.run(rows, request);  // tries the kernels first
  device->filtered = device->scored = 0;
  const at::Tensor keys = counted.run(rows, request).best;
  EXPECT_EQ(device->filtered, 2);
  EXPECT_EQ(device->scored, 2);
  EXPECT_TRUE(at::equal(keys, testing::plain_best_keys(rows, request.candidates, SelectionOrder{}, 20)));
}

TEST(DeviceShortlists, OfRowsThatAllTie) {
  const Rows rows = bf16_rows(unit(1, kWidth, 1).expand({1500, kWidth}));
  const PassRequest request = best_request(unit(2, kWidth, 2), 7);
  ASSERT_EQ(open_queries(rows, request, 2), 2) << "their lists are full";
  expect_plain(rows, request);
}

TEST(DeviceShortlists, OfTheBestRowsAtTheEnd) {
  const at::Tensor query = unit(1, kWidth, 2);
  const at::Tensor vectors = unit(1500, kWidth, 1);
  const at::Tensor ascending = vectors.index_select(0, vectors.mv(query[0]).argsort());
  expect_plain(bf16_rows(ascending), best_request(query, 100));
}

TEST(DeviceShortlists, ThresholdsOfAQueryThatIsExcludedFromItsBestRows) {
  const at::Tensor vectors = unit(1500, kWidth, 1);
  const Rows rows = bf16_rows(vectors);
  PassRequest request = best_request(unit(3, kWidth, 2), 20);
  const at::Tensor scores = rows.vectors.to(at::kFloat).mv(request.candidates.queries[1]);
  const at::Tensor top = std::get<1>(scores.topk(300));
  request.candidates.exclusions = at::stack({at::ones_like(top), top}, 1);
  EXPECT_EQ(open_queries(rows, request, 1), 0);
  expect_plain(rows, request);
}

TEST(DeviceShortlists, OfFewerCandidatesThanAreWanted) {
  at::Tensor valid = at::zeros({1200}, at::kBool);
  expect_plain(bf16_rows(unit(1200, kWidth, 1), valid), best_request(unit(2, kWidth, 2), 3));
  for (const std::int64_t row : {7, 500, 1199}) valid[row].fill_(true);
  const Rows rows = bf16_rows(unit(1200, kWidth, 1), valid);
  PassRequest request = best_request(unit(2, kWidth, 2), 3);
  request.candidates.exclusions = at::tensor({0, 7, 1, 7, 1, 500, 1, 1199}, at::kLong).view({-1, 2});
  for (const std::int64_t m : {1, 3, 5}) {
    request.best = m;
    EXPECT_EQ(open_queries(rows, request, 1), 0);
    expect_plain(rows, request);
  }
}

TEST(DeviceShortlists, OfRowsAndQueriesOfAnyLength) {
  const at::Tensor lengths = at::arange(1500, at::kFloat).remainder(9).sub(4.0).mul(2.0).exp();
  const at::Tensor queries = unit(5, kWidth, 2) * at::tensor({0.0F, 1e-30F, 1.0F, 1e3F, 1e10F}).unsqueeze(1);
  expect_plain(bf16_rows(unit(1500, kWidth, 1) * lengths.unsqueeze(1)), best_request(queries, 30));
}

TEST(DeviceShortlists, LeaveOpenWhatIsNotFinite) {
  // The better half of all rows means that every row is handed out.
  for (const auto& [broken, m] : std::vector<std::pair<float, std::int64_t>>{
           {std::numeric_limits<float>::infinity(), 4}, {std::numeric_limits<float>::quiet_NaN(), 600}}) {
    const Rows rows = bf16_rows(unit(1100, kWidth, 1));
    PassRequest request = best_request(unit(3, kWidth, 2), m);
    request.candidates.queries[1][5] = broken;
    EXPECT_EQ(open_queries(rows, request, 1), 1);
    request = best_request(unit(3, kWidth, 2), m);
    rows.vectors[1099][0] = broken;
    EXPECT_EQ(open_queries(rows, request, 1), 3);
    EXPECT_TRUE(at::equal(shortlist_pass().run(rows, request).best,
                          exhaustive_best_keys(rows, request.candidates, SelectionOrder{}, m)));
  }
}

TEST(DeviceShortlists, DoNotLookAtHoles) {
  const Rows rows = bf16_rows(unit(1100, 64, 1), at::arange(1100) != 5);
  rows.vectors[5].fill_(1e6);
  EXPECT_EQ(open_queries(rows, best_request(unit(4, 64, 2), 20), 1), 0);
}

TEST(DeviceShortlists, AreKnownWhenTheThresholdLeavesRoomForErrors) {
  const Rows rows = bf16_rows(unit(1500, kWidth, 1));
  const at::Tensor queries = unit(3, kWidth, 2);
  const EmulatedDevice device;
  const DeviceShortlists lists(device, rows, {queries, queries.to(at::kBFloat16).unsqueeze(0), at::Tensor()}, 20);
  FilteredRows noted;
  noted.counts = at::tensor({20, 20, 19}, at::kInt);
  noted.rows = at::arange(lists.capacity(), at::kInt).repeat({3, 1});
  // How far above their thresholds the rows scored.
  const at::Tensor above = at::tensor({1e-5F, 0.1F, 0.1F}).unsqueeze(1);
  noted.scores = (lists.thresholds().unsqueeze(1) + above).repeat({1, lists.capacity()});
  EXPECT_TRUE(at::equal(lists.best(noted).known, at::tensor({0, 1, 0}, at::kLong).to(at::kBool)));
}

TEST(DeviceShortlists, SampleMayComeInBlocksOfQueries) {
  const Rows rows = bf16_rows(unit(1300, kWidth, 1), at::arange(1300) % 9 != 2);
  const at::Tensor queries = unit(10, kWidth, 2);
  const at::Tensor parts = queries.to(at::kBFloat16).unsqueeze(0);
  // Pairs (row, query) of all rows that query 4 likes, and of one that query 9 does.
  const at::Tensor liked = (rows.vectors.to(at::kFloat).mv(queries[4]) > 0.4).nonzero().to(at::kInt);
  const at::Tensor excluded =
      at::cat({at::cat({liked, at::full_like(liked, 4)}, 1), at::tensor({5, 9}, at::kInt).view({1, 2})});
  const EmulatedDevice device;
  const DeviceShortlists whole(device, rows, {queries, parts, excluded}, 20);
  const std::int64_t sampled = sample_size(20, 1300 - 144);
  ASSERT_GT(sampled, 0);
  const DeviceShortlists blocks(device, rows, {queries, parts, excluded}, 20, 3 * (sampled + 1));
  EXPECT_TRUE(at::allclose(blocks.thresholds(), whole.thresholds(), 0.0, 1e-6));
  EXPECT_LT(whole.thresholds()[4].item<float>(), 0.4F);
  EXPECT_GT(whole.thresholds()[4].item<float>(), 0.1F);
}

/// Whose lists say other scores than the rows have.
class WrongListDevice : public CountingDevice {
 public:
  void score(const ListScoring& lists) const override {
    CountingDevice::score(lists);
    for (std::int64_t i = 0; i < std::int64_t{lists.query_count} * lists.capacity; ++i) {
      lists.keys[i] -= std::int64_t{1} << 40;
    }
  }
};

TEST(DeviceShortlists, OfADeviceThatIsWrongAboutThemAreNotUsed) {
  const auto wrong = std::make_shared<WrongListDevice>();
  const CudaPass guarded(BlockedPass::kDefaultQueryBlock, wrong);
  const Rows rows = bf16_rows(unit(1100, kWidth, 1));
  const PassRequest request = best_request(unit(2, kWidth, 2), 4);
  ASSERT_TRUE(guarded.serves(rows, request));
  EXPECT_TRUE(at::equal(guarded.run(rows, request).best,
                        testing::plain_best_keys(rows, request.candidates, SelectionOrder{}, 4)));
  EXPECT_EQ(wrong->scored, 1) << "tried once";
}

TEST(DeviceShortlists, WantSlotsAndScoresAlone) {
  Rows rows = bf16_rows(unit(1100, kWidth, 1));
  const PassRequest request = best_request(unit(2, kWidth, 2), 4);
  rows.order_factors = at::linspace(0.5, 2.0, 1100, at::kDouble);
  EXPECT_FALSE(shortlist_pass().serves(rows, request));
  EXPECT_TRUE(at::equal(shortlist_pass().run(rows, request).best,
                        exhaustive_best_keys(rows, request.candidates, SelectionOrder{}, 4)));
  rows.slots = at::Tensor();
  EXPECT_THROW(shortlist_pass().run(rows, request), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
