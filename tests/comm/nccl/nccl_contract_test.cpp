// The contract over comm/nccl/nccl_communicator.cpp, with the stand-in below it and ranks as threads.

#include <thread>

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/nccl/nccl_communicator.h"
#include "comm/threads/thread_communicator.h"
#include "tests/comm/communicator_contract.h"
#include "tests/comm/nccl/nccl_stand_in.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

const CommunicatorOptions kChecked = {.check = true, .time_limit = std::chrono::seconds(30)};

class NcclContract : public ::testing::TestWithParam<std::tuple<ContractCase, int>> {};

TEST_P(NcclContract, Holds) {
  const auto& [contract_case, ranks] = GetParam();
  const int aborted_before = stand_in_state().aborted;
  run_ranks(ranks, kChecked, [run = contract_case.run](Communicator& bootstrap) {
    const auto communicator = make_nccl_communicator(bootstrap, bootstrap.rank(), kChecked);
    EXPECT_STREQ(communicator->transport(), "nccl");
    run(*communicator, stand_in_device(bootstrap.rank()));
  });
  EXPECT_EQ(stand_in_state().live, 0);
  EXPECT_EQ(stand_in_state().aborted, aborted_before);
}

INSTANTIATE_TEST_SUITE_P(StandIn, NcclContract,
                         ::testing::Combine(::testing::ValuesIn(contract_cases()), ::testing::Values(1, 2, 3, 4)),
                         [](const auto& test) {
                           return case_name(std::get<0>(test.param)) + "On" + std::to_string(std::get<1>(test.param));
                         });

/// What run_ranks throws.
template <typename Error>
std::string error_of(int ranks, const CommunicatorOptions& options, const std::function<void(Communicator&)>& body) {
  try {
    run_ranks(ranks, options, body);
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& error) {
    return "another type of error: " + std::string(error.what());
  }
  return "no error";
}

TEST(NcclCommunicator, RefusesTwoRanksOnOneDevice) {
  const std::string error = error_of<CommError>(
      3, {}, [](Communicator& bootstrap) { make_nccl_communicator(bootstrap, bootstrap.rank() % 2, {}); });
  EXPECT_NE(error.find("ranks 0 and 2 share one GPU"), std::string::npos) << error;
  EXPECT_EQ(stand_in_state().live, 0);
}

/// A collective for which rank 1 comes too late, on tensors of the device or of the host.
void expect_a_timeout(bool on_host) {
  const CommunicatorOptions options = {.check = false, .time_limit = std::chrono::milliseconds(300)};
  const int aborted_before = stand_in_state().aborted;
  std::string late_error;
  const std::string error = error_of<TimeoutError>(2, {}, [&](Communicator& bootstrap) {
    const auto communicator = make_nccl_communicator(bootstrap, bootstrap.rank(), options);
    const at::Tensor tensor = at::ones({3}, on_host ? at::kCPU : stand_in_device(bootstrap.rank()));
    if (bootstrap.rank() == 0) {
      communicator->all_reduce(tensor, ReduceOp::kSum);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    try {
      communicator->all_reduce(tensor, ReduceOp::kSum);
    } catch (const TimeoutError& timeout) {
      late_error = timeout.what();
    }
  });
  for (const char* part : {"rank 0 of 2, all_reduce (#0, sum fp32 [3])", "time limit of 300 ms"}) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  }
  EXPECT_NE(late_error.find("rank 1 of 2, all_reduce"), std::string::npos) << late_error;
  EXPECT_EQ(stand_in_state().live, 0);
  EXPECT_EQ(stand_in_state().aborted, aborted_before + 2);
}

TEST(NcclCommunicator, ACollectiveOverTheLimitEndsTheGroup) {
  expect_a_timeout(/*on_host=*/false);
}

TEST(NcclCommunicator, AHostThatWaitsForAResultKnowsTheLimit) {
  expect_a_timeout(/*on_host=*/true);
}

TEST(NcclCommunicator, RefusesTensorsOfAnotherDevice) {
  const std::string error = error_of<CommError>(2, {}, [](Communicator& bootstrap) {
    const auto communicator = make_nccl_communicator(bootstrap, bootstrap.rank(), {});
    communicator->all_gather(at::ones({2}, stand_in_device(5)));
  });
  EXPECT_NE(error.find("the tensor is on stand_in:5 where nccl takes stand_in:"), std::string::npos) << error;
  EXPECT_NE(error.find(" and the host"), std::string::npos) << error;
}

TEST(NcclCommunicator, AFailureOfNcclIsReported) {
  // Ranks that do not fit together, without checked mode: the stand-in says so as NCCL would, later.
  const std::string error = error_of<CommError>(2, {}, [](Communicator& bootstrap) {
    const CommunicatorOptions unchecked = {.check = false, .time_limit = std::chrono::seconds(20)};
    const auto communicator = make_nccl_communicator(bootstrap, bootstrap.rank(), unchecked);
    communicator->all_reduce(at::ones({2 + bootstrap.rank()}), ReduceOp::kSum);
  });
  EXPECT_NE(error.find("ranks call different collectives"), std::string::npos) << error;
  EXPECT_EQ(stand_in_state().live, 0);
}

TEST(NcclCommunicator, ARankThatNeverJoinsIsATimeout) {
  const std::string error = error_of<CommError>(2, {}, [](Communicator& bootstrap) {
    const CommunicatorOptions options = {.check = false, .time_limit = std::chrono::milliseconds(200)};
    if (bootstrap.rank() == 1) {
      // Takes part in what the host does, and stops before NCCL.
      const auto side = bootstrap.split(0);
      side->all_gather(at::zeros({17}, at::kByte));
      side->broadcast(at::zeros({128}, at::kByte), 0);
      side->barrier();
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
      return;
    }
    make_nccl_communicator(bootstrap, 0, options);
  });
  EXPECT_NE(error.find("time limit of 200 ms"), std::string::npos) << error;
  EXPECT_EQ(stand_in_state().live, 0);
}

}  // namespace
}  // namespace negatron::testing
