// Where a rank stands, under mpirun.

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/mpi/topology.h"
#include "tests/support/rank_test.h"

namespace negatron::testing {
namespace {

TEST(MpiEnvironment, KnowsRankAndSize) {
  EXPECT_EQ(environment().rank(), world().rank());
  EXPECT_EQ(environment().size(), world().size());
  EXPECT_STREQ(world().transport(), "mpi");
}

TEST(MpiEnvironment, IsMadeOnce) {
  EXPECT_THROW(Environment(nullptr, nullptr), CommError);
}

TEST(MpiEnvironment, TopologyOfOneHost) {
  const Topology topology = discover_topology(environment());
  EXPECT_EQ(topology.rank, world().rank());
  EXPECT_EQ(topology.size, world().size());
  EXPECT_EQ(topology.local_rank, world().rank());
  EXPECT_EQ(topology.local_size, world().size());
  world().agree("the host", topology.host);
  EXPECT_FALSE(topology.host.empty());
}

}  // namespace
}  // namespace negatron::testing
