#include "comm/mpi/topology.h"

#include <gtest/gtest.h>

#include "comm/error.h"

namespace negatron::testing {
namespace {

Topology on_host(int local_rank, int local_size) {
  return {.rank = 8 + local_rank, .size = 16, .local_rank = local_rank, .local_size = local_size, .host = "node7"};
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const CommError& error) {
    return error.what();
  }
  return "no error";
}

TEST(DeviceOf, IsTheLocalRank) {
  EXPECT_EQ(device_of(on_host(0, 4), 4), 0);
  EXPECT_EQ(device_of(on_host(3, 4), 4), 3);
  EXPECT_EQ(device_of(on_host(1, 2), 8), 1);
  // A launcher that shows each rank its own GPU only.
  EXPECT_EQ(device_of(on_host(3, 4), 1), 0);
}

TEST(DeviceOf, RefusesHostsThatCannotServe) {
  EXPECT_NE(error_of([] { device_of(on_host(0, 1), 0); }).find("rank 8 on node7 sees no CUDA device"),
            std::string::npos);
  const std::string error = error_of([] { device_of(on_host(1, 3), 2); });
  EXPECT_NE(error.find("3 ranks for 2 visible devices"), std::string::npos) << error;
}

}  // namespace
}  // namespace negatron::testing
