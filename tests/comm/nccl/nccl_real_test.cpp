// What the real NCCL does on a machine without a GPU: it links, makes ids and says why it cannot start.

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/nccl/nccl_communicator.h"
#include "comm/nccl/nccl_handle.h"
#include "comm/threads/thread_communicator.h"

#include <c10/cuda/CUDAFunctions.h>

namespace negatron::testing {
namespace {

TEST(RealNccl, MakesDifferentIds) {
  const std::string first = make_nccl_id();
  EXPECT_EQ(first.size(), kNcclIdBytes);
  EXPECT_NE(first, std::string(kNcclIdBytes, '\0'));
  EXPECT_NE(first, make_nccl_id());
}

TEST(RealNccl, RefusesAnIdOfAnotherSize) {
  EXPECT_THROW(NcclHandle("short", 0, 1, std::chrono::seconds(1)), CommError);
}

TEST(RealNccl, SaysWhyItCannotStart) {
  if (c10::cuda::device_count() > 0)
    GTEST_SKIP() << "needs a machine without GPUs, found " << c10::cuda::device_count();
  try {
    const NcclHandle handle(make_nccl_id(), 0, 1, std::chrono::seconds(20));
    ADD_FAILURE() << "NCCL started without a GPU";
  } catch (const CommError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("ncclCommInitRankConfig failed: "), std::string::npos) << text;
    EXPECT_NE(text.find("uda"), std::string::npos) << text;
  }
  try {
    run_ranks(1, {}, [](Communicator& bootstrap) { make_nccl_communicator(bootstrap, 0, {}); });
    ADD_FAILURE() << "a group without a GPU";
  } catch (const CommError& error) {
    EXPECT_NE(std::string(error.what()).find("cudaGetDeviceProperties failed: "), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace negatron::testing
