#include "runtime/planning/machine_presets.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace negatron {
namespace {

constexpr double kKiB = 1024.0;
constexpr double kMiB = 1024.0 * kKiB;
constexpr double kGiB = 1024.0 * kMiB;
constexpr double kCalibrated = 0.15;
constexpr double kHeldOut = 0.25;

/// Bytes per second of the whole message ("algbw") become busbw by this factor; what a rank receives, by the same.
double moved_share(Collective collective, double ranks) {
  return (collective == Collective::kAllReduce ? 2.0 : 1.0) * (ranks - 1.0) / ranks;
}

/// GB/s of busbw that the model gives for a message of `bytes` over all ranks.
double bus_bandwidth(const char* preset, Collective collective, std::int64_t ranks, double bytes) {
  const double moved = bytes * moved_share(collective, static_cast<double>(ranks));
  return moved / collective_time(machine_preset(preset).machine.network, collective, ranks, moved).seconds() / 1e9;
}

void expect_within(double share, double expected, const char* preset, Collective collective, std::int64_t ranks,
                   double bytes) {
  EXPECT_NEAR(bus_bandwidth(preset, collective, ranks, bytes) / expected, 1.0, share)
      << preset << " " << name_of(collective) << " of " << bytes << " bytes on " << ranks;
}

// Published busbw in GB/s (runtime/planning/COST_MODEL.md 6).

TEST(MachinePresets, AllReduceOnOneNodeOfH200) {
  const auto expect = [](double share, double expected, double bytes) {
    expect_within(share, expected, "h200", Collective::kAllReduce, 8, bytes);
  };
  expect(kCalibrated, 1.44, 32 * kKiB);
  expect(kCalibrated, 219.89, 16 * kMiB);
  expect(kCalibrated, 482.26, 16 * kGiB);
  expect(kHeldOut, 11.74, 256 * kKiB);
  expect(kHeldOut, 39.93, kMiB);
  expect(kHeldOut, 107.16, 4 * kMiB);
  expect(kHeldOut, 346.51, 64 * kMiB);
  expect(kHeldOut, 463.58, kGiB);
}

TEST(MachinePresets, AllReduceOnOneNodeOfA100AndH100) {
  expect_within(kCalibrated, 235.0, "a100", Collective::kAllReduce, 8, 4 * kGiB);
  // nccl-tests issue 212: what 8 GPUs should reach.
  expect_within(kHeldOut, 480.0, "h100", Collective::kAllReduce, 8, 16 * kGiB);
}

TEST(MachinePresets, EachIsNoSlowerThanTheOneBefore) {
  const std::vector<MachinePreset>& all = machine_presets();
  ASSERT_EQ(all.size(), 4U);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const Machine& before = all[i - 1].machine;
    const Machine& machine = all[i].machine;
    EXPECT_GE(machine.pass_flops, before.pass_flops) << all[i].name;
    EXPECT_GT(machine.read_bytes_per_second, before.read_bytes_per_second) << all[i].name;
    EXPECT_LT(machine.select_seconds_per_score, before.select_seconds_per_score) << all[i].name;
  }
}

TEST(MachinePresets, AllGatherOnOneNodeOfH200) {
  expect_within(kCalibrated, 361.4, "h200", Collective::kAllGather, 8, 16 * kGiB);
}

TEST(MachinePresets, AllGatherOn256GpusWithNdr) {
  expect_within(kHeldOut, 200.0, "h200", Collective::kAllGather, 256, 2 * kGiB);
}

TEST(MachinePresets, AllReduceOnFourNodesOfB200) {
  const auto expect = [](double share, double expected, double bytes) {
    expect_within(share, expected, "b200", Collective::kAllReduce, 32, bytes);
  };
  expect(kCalibrated, 5.37, kMiB);
  expect(kCalibrated, 64.43, 16 * kMiB);
  expect(kCalibrated, 326.90, 512 * kMiB);
  expect(kCalibrated, 381.80, 16 * kGiB);
  expect(kHeldOut, 18.90, 4 * kMiB);
  expect(kHeldOut, 156.74, 64 * kMiB);
  expect(kHeldOut, 361.99, kGiB);
}

TEST(MachinePresets, ANameThatIsNoneOffersTheNearest) {
  try {
    machine_preset("h2000");
    FAIL() << "a GPU that nobody knows has constants";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("a100, h100, h200 and b200; did you mean h200?"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace negatron
