// Which of the passes on a GPU takes a request: the kernel where it was found right, or attention, by trial and by
// time.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "samplers/pass/attention_pass.h"
#include "tests/samplers/pass/cuda/emulated_pass.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::bf16_rows;
using testing::EmulatedDevice;
using testing::make_rows;
using testing::plain_request;
using testing::unit;

/// A device whose tensor cores put sums into other places than the emulation expects.
class WrongDevice : public EmulatedDevice {
 public:
  void merge(const SliceMerge& merge) const override {
    EmulatedDevice::merge(merge);
    ++merges;
    merge.values[0][0] += 1.0F;
  }
  mutable int merges = 0;
};

TEST(CudaChoice, AKernelThatIsWrongOnItsDeviceIsNotUsed) {
  const auto wrong = std::make_shared<WrongDevice>();
  const CudaPass guarded(BlockedPass::kDefaultQueryBlock, wrong);
  const Rows rows = bf16_rows(90, 16);
  const PassRequest request = plain_request(unit(5, 16, 2), {5.0});
  ASSERT_TRUE(guarded.serves(rows, request));
  int merges = 0;
  for (int i = 0; i < 2; ++i) {
    const PassResult result = guarded.run(rows, request);
    EXPECT_TRUE(at::equal(result.terms[0].gradient, BlockedPass().run(rows, request).terms[0].gradient));
    EXPECT_EQ(wrong->merges > merges, i == 0) << "tried once";
    merges = wrong->merges;
  }
}

/// The kernel's fixed reference and attention's queries in one part are for unit rows: neither is chosen for others.
TEST(CudaChoice, LeavesRawRowsToThePassThatShiftsByWhatItMet) {
  Rows rows = make_rows((unit(400, 16, 1) * at::linspace(0.01, 30.0, 400).unsqueeze(1)).to(at::kBFloat16));
  PassRequest request = plain_request(unit(5, 16, 2) * 20.0, {1.0});
  request.may_skip_max = true;
  ASSERT_TRUE(testing::emulated_pass().serves(rows, request) && AttentionPass::serves(rows, request))
      << "were they unit rows";
  rows.length = RowLength::kAsMade;
  EXPECT_FALSE(testing::emulated_pass().serves(rows, request));
  EXPECT_FALSE(AttentionPass::serves(rows, request));
  const PassResult result = testing::emulated_pass().run(rows, request), expected = BlockedPass().run(rows, request);
  EXPECT_TRUE(at::equal(result.terms[0].value, expected.terms[0].value));
  EXPECT_TRUE(at::equal(result.terms[0].gradient, expected.terms[0].gradient));
  request.best = 7;
  EXPECT_TRUE(at::equal(testing::emulated_pass().run(rows, request).best, BlockedPass().run(rows, request).best));
  EXPECT_TRUE(
      at::equal(testing::emulated_pass().best(rows, request.candidates, {}, 7), BlockedPass().run(rows, request).best));
  for (const double time : testing::emulated_pass().trial_times(rows, request))
    EXPECT_TRUE(std::isinf(time)) << "nothing to choose from";
}

/// A device on which work takes as long as it is told, by whether a kernel is in it.
class TimedDevice : public EmulatedDevice {
 public:
  TimedDevice(double attention, double kernel) : times_{attention, kernel} {}
  void scan(const BankScan& scan) const override {
    EmulatedDevice::scan(scan);
    ++scans;
  }
  std::optional<double> time_of(const std::function<void()>& work, std::chrono::milliseconds limit) const override {
    const int before = scans;
    work();
    ++runs;
    // The first run of each also loads what it needs, and one run is disturbed.
    const double extra = runs % 7 == 1 || runs % 7 == 5 ? 50.0 : 0.0;
    const double time = times_[scans > before ? 1 : 0] + extra;
    if (std::chrono::duration<double, std::milli>(time) > limit) return std::nullopt;
    return time;
  }
  mutable int scans = 0;
  mutable int runs = 0;

 private:
  GpuPassTimes times_;
};

/// As a step asks: the maximum is welcome.
PassRequest step_request(const std::vector<double>& scales) {
  PassRequest request = plain_request(unit(5, 16, 2), scales);
  for (ScoreTerm& term : request.terms) term.want_slope = false;
  request.may_skip_max = true;
  return request;
}

TEST(CudaChoice, AStepDoesNotPayForAMaximumThatItCanDoWithout) {
  const auto device = std::make_shared<TimedDevice>(1.0, 2.0);
  const CudaPass own(BlockedPass::kDefaultQueryBlock, device);
  const Rows rows = bf16_rows(90, 16);
  PassRequest request = step_request({5.0});
  EXPECT_TRUE(own.run(rows, request).max.isnan().all().item<bool>());
  EXPECT_EQ(device->scans, 0) << "attention serves it";
  request.may_skip_max = false;
  EXPECT_FALSE(own.run(rows, request).max.isnan().any().item<bool>());
  EXPECT_GT(device->scans, 0);
}

TEST(CudaChoice, TrialsTellTheMedianTimesOfBoth) {
  const auto device = std::make_shared<TimedDevice>(3.0, 2.0);
  CudaPass own(BlockedPass::kDefaultQueryBlock, device);
  const Rows rows = bf16_rows(90, 16);
  // The kernel's trial against ATen comes first, outside of the times.
  ASSERT_TRUE(own.uses_kernel(rows, step_request({5.0})));
  device->runs = 0;
  EXPECT_EQ(own.trial_times(rows, step_request({5.0})), (GpuPassTimes{3.0, 2.0}));
  own.prefer(GpuPass::kKernel, 1);
  EXPECT_FALSE(own.run(rows, step_request({5.0})).max.isnan().any().item<bool>());
  EXPECT_EQ(own.preferred(2), GpuPass::kAttention) << "of two terms nothing was said";
  const int scans = device->scans;
  EXPECT_TRUE(own.run(rows, step_request({5.0, 1.0})).max.isnan().all().item<bool>());
  EXPECT_EQ(device->scans, scans);
}

TEST(CudaChoice, WhatCannotServeHasNoTime) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const CudaPass own(BlockedPass::kDefaultQueryBlock, std::make_shared<TimedDevice>(3.0, 2.0));
  EXPECT_EQ(own.trial_times(bf16_rows(90, 16, at::arange(90) > 3), step_request({5.0}))[0], kNever);
  EXPECT_EQ(own.trial_times(make_rows(unit(90, 16, 1).to(at::kHalf)), step_request({5.0}))[1], kNever);
  const CudaPass wrong(BlockedPass::kDefaultQueryBlock, std::make_shared<WrongDevice>());
  EXPECT_EQ(wrong.trial_times(bf16_rows(90, 16), step_request({5.0}))[1], kNever);
  const CudaPass without(BlockedPass::kDefaultQueryBlock, nullptr);
  EXPECT_EQ(without.trial_times(bf16_rows(90, 16), step_request({5.0})), (GpuPassTimes{kNever, kNever}));
}

TEST(CudaChoice, ATrialThatDoesNotEndIsAnErrorAndNoWait) {
  const double beyond = 1000.0 * static_cast<double>(kTrialLimit.count()) + 1.0;
  const CudaPass own(BlockedPass::kDefaultQueryBlock, std::make_shared<TimedDevice>(1.0, beyond));
  try {
    own.uses_kernel(bf16_rows(90, 16), step_request({5.0}));
    ADD_FAILURE() << "went on";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("--bank-dtype"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace negatron
