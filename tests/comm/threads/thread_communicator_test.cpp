// Faults of ranks that are threads, which must end in the first error and never in a hang.

#include "comm/threads/thread_communicator.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "comm/error.h"

namespace negatron::testing {
namespace {

const CommunicatorOptions kPatient = {.check = false, .time_limit = std::chrono::seconds(60)};

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

TEST(RunRanks, RunsEveryRankOnce) {
  std::atomic<int> sum{0};
  run_ranks(5, kPatient, [&](Communicator& communicator) {
    EXPECT_EQ(communicator.size(), 5);
    EXPECT_STREQ(communicator.transport(), "threads");
    sum += 1 << (4 * communicator.rank());
  });
  EXPECT_EQ(sum, 0x11111);
  EXPECT_THROW(run_ranks(0, kPatient, [](Communicator&) {}), std::invalid_argument);
}

TEST(RunRanks, RethrowsTheFirstFailureAndFreesTheOthers) {
  std::atomic<int> freed{0};
  const std::string error = error_of<std::invalid_argument>(4, kPatient, [&](Communicator& communicator) {
    if (communicator.rank() == 2) throw std::invalid_argument("bad augmentation");
    try {
      communicator.barrier();
    } catch (const BrokenGroupError& broken) {
      EXPECT_NE(std::string(broken.what()).find("rank 2 failed first: bad augmentation"), std::string::npos);
      ++freed;
      throw;
    }
  });
  EXPECT_EQ(error, "rank 2: bad augmentation");
  EXPECT_EQ(freed, 3);
}

TEST(RunRanks, FreesRanksThatWaitInASubgroup) {
  const std::string error = error_of<std::runtime_error>(4, kPatient, [](Communicator& communicator) {
    const auto group = communicator.split(communicator.rank() / 2);
    if (communicator.rank() == 3) throw std::runtime_error("gone");
    // Ranks 0 and 1 are complete without rank 3; rank 2 is not.
    group->barrier();
    communicator.barrier();
  });
  EXPECT_EQ(error, "rank 3: gone");
}

TEST(RunRanks, ARankThatReturnsEarlyIsNamed) {
  const std::string error = error_of<BrokenGroupError>(3, kPatient, [](Communicator& communicator) {
    if (communicator.rank() == 1) return;
    communicator.all_gather(at::ones({2}));
  });
  EXPECT_NE(error.find("all_gather (#0, fp32 [2]): rank 1 has returned without making this call"), std::string::npos)
      << error;
}

TEST(RunRanks, ALateRankIsATimeoutWithTheLog) {
  const CommunicatorOptions impatient = {.check = false, .time_limit = std::chrono::milliseconds(200)};
  ::testing::internal::CaptureStderr();
  std::string error = error_of<TimeoutError>(2, impatient, [](Communicator& communicator) {
    communicator.barrier();
    if (communicator.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(700));
    communicator.all_reduce(at::ones({3, 4}), ReduceOp::kMax);
  });
  error += ::testing::internal::GetCapturedStderr();
  for (const char* part :
       {"rank 0 of 2, all_reduce (#1, max fp32 [3, 4])", "time limit of 200 ms", "[rank 0] #0 barrier: done",
        "[rank 0] #1 all_reduce max fp32 [3, 4]: started, not finished"}) {
    EXPECT_NE(error.find(part), std::string::npos) << error << "\nexpected: " << part;
  }
}

TEST(RunRanks, ASlowRankWithinTheLimitIsNoError) {
  const CommunicatorOptions options = {.check = false, .time_limit = std::chrono::seconds(20)};
  run_ranks(2, options, [](Communicator& communicator) {
    if (communicator.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    communicator.barrier();
  });
}

TEST(RunRanks, DifferentRowsWithoutCheckedModeAreAnErrorToo) {
  const std::string error = error_of<CommError>(2, kPatient, [](Communicator& communicator) {
    communicator.all_gather(at::ones({communicator.rank() + 1, 2}));
  });
  EXPECT_NE(error.find("rows instead of"), std::string::npos) << error;
}

TEST(RunRanks, DisagreementKeepsItsType) {
  try {
    run_ranks(4, kPatient,
              [](Communicator& communicator) { communicator.agree("seed", communicator.rank() % 2 == 0 ? "0" : "1"); });
    ADD_FAILURE() << "no error";
  } catch (const DisagreementError& error) {
    EXPECT_EQ(error.ranks(), (std::vector<int>{1, 3}));
  }
}

}  // namespace
}  // namespace negatron::testing
