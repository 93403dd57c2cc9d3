#include "runtime/planning/network.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace negatron {
namespace {

/// Two levels with different constants for every collective.
Network two_levels() {
  Network network;
  network.launch_seconds = 10.0;
  network.levels = {{4, {Link{1.0, 8.0, 0.0}, Link{2.0, 4.0, 0.0}, Link{3.0, 2.0, 0.0}}},
                    {16, {Link{100.0, 1.0, 0.0}, Link{200.0, 0.5, 0.0}, Link{300.0, 0.25, 0.0}}}};
  return network;
}

TEST(Link, ReachesHalfItsBandwidthAtHalfBytes) {
  const Link link{0.0, 10.0, 1000.0};
  EXPECT_DOUBLE_EQ(1000.0 / link.transfer_seconds(1000.0), 5.0);
  EXPECT_NEAR(1e9 / link.transfer_seconds(1e9), 10.0, 1e-4);
  EXPECT_EQ(link.transfer_seconds(0.0), 0.0);
}

TEST(CollectiveTime, OneRankMovesNothing) {
  EXPECT_EQ(collective_time(two_levels(), Collective::kAllReduce, 1, 1e6).seconds(), 0.0);
}

TEST(CollectiveTime, NoBytesLeaveOnlyLatency) {
  for (const Collective collective : {Collective::kAllGather, Collective::kAllToAll, Collective::kAllReduce}) {
    const CollectiveTime none = collective_time(two_levels(), collective, 8, 0.0);
    EXPECT_EQ(none.bandwidth, 0.0);
    EXPECT_GT(none.latency, 10.0);
    const CollectiveTime few = collective_time(two_levels(), collective, 8, 1e-6);
    EXPECT_EQ(few.latency, none.latency);
    EXPECT_NEAR(few.seconds(), none.seconds(), 1e-4);
  }
}

TEST(CollectiveTime, StepsAndSharesOfOneLevel) {
  // 3 ranks in a unit of 4: 2 steps, all bytes by the first level's link.
  const CollectiveTime gather = collective_time(two_levels(), Collective::kAllGather, 3, 16.0);
  EXPECT_DOUBLE_EQ(gather.latency, 10.0 + 2 * 1.0);
  EXPECT_DOUBLE_EQ(gather.bandwidth, 16.0 / 8.0);
  const CollectiveTime reduce = collective_time(two_levels(), Collective::kAllReduce, 3, 16.0);
  EXPECT_DOUBLE_EQ(reduce.latency, 10.0 + 4 * 3.0);
  EXPECT_DOUBLE_EQ(reduce.bandwidth, 16.0 / 2.0);
}

TEST(CollectiveTime, StepsAndSharesOfTwoLevels) {
  // 16 ranks in units of 4: a ring of 15 steps crosses units 3 times; of 15 blocks 12 come from outside, and four ranks
  // share them.
  const CollectiveTime gather = collective_time(two_levels(), Collective::kAllGather, 16, 15.0);
  EXPECT_DOUBLE_EQ(gather.latency, 10.0 + 12 * 1.0 + 3 * 100.0);
  EXPECT_DOUBLE_EQ(gather.bandwidth, 15.0 / 8.0 + 12.0 / 4.0);
  // Each rank receives 3 of its messages inside and 12 by its own link outside.
  const CollectiveTime to_all = collective_time(two_levels(), Collective::kAllToAll, 16, 15.0);
  EXPECT_DOUBLE_EQ(to_all.latency, 10.0 + 3 * 2.0 + 12 * 200.0);
  EXPECT_DOUBLE_EQ(to_all.bandwidth, 3.0 / 4.0 + 12.0 / 0.5);
  // Inside there and back, outside a tree over four units.
  const CollectiveTime reduce = collective_time(two_levels(), Collective::kAllReduce, 16, 15.0);
  EXPECT_DOUBLE_EQ(reduce.latency, 10.0 + 6 * 3.0 + 4 * 300.0);
  EXPECT_DOUBLE_EQ(reduce.bandwidth, 15.0 / 2.0 + 3.0 / 0.25);
}

TEST(CollectiveTime, GrowsWithBytesAndRanks) {
  for (const Collective collective : {Collective::kAllGather, Collective::kAllToAll, Collective::kAllReduce}) {
    double before = 0.0;
    for (double bytes = 1.0; bytes < 1e9; bytes *= 10.0) {
      const double seconds = collective_time(two_levels(), collective, 8, bytes).seconds();
      EXPECT_GT(seconds, before);
      before = seconds;
    }
    before = 0.0;
    for (const std::int64_t ranks : {2, 4, 8, 16}) {
      const double latency = collective_time(two_levels(), collective, ranks, 0.0).latency;
      EXPECT_GT(latency, before);
      before = latency;
    }
  }
}

TEST(CollectiveTime, RefusesMoreRanksThanTheNetworkJoins) {
  EXPECT_THROW(collective_time(two_levels(), Collective::kAllGather, 17, 1.0), std::invalid_argument);
  EXPECT_THROW(collective_time(Network{}, Collective::kAllGather, 2, 1.0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
