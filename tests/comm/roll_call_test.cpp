// What ranks can still say when a collective does not end. Ranks are threads.

#include "comm/roll_call/roll_call.h"

#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/roll_call/rank_ranges.h"
#include "comm/threads/thread_communicator.h"

namespace negatron::testing {
namespace {

using std::chrono::milliseconds;

/// Long beside what a thread waits for a core on a busy machine: who is not heard within it is missing, and another
/// asks.
constexpr milliseconds kLimit{600};
const CommunicatorOptions kImpatient = {.check = false, .time_limit = kLimit};

/// What every rank's time-out said, "" where it had none, and what all wrote to stderr.
struct Heard {
  std::vector<std::string> errors;
  std::string printed;
};

Heard hear(int ranks, const std::function<void(Communicator&)>& body) {
  Heard heard;
  heard.errors.resize(static_cast<std::size_t>(ranks));
  ::testing::internal::CaptureStderr();
  run_ranks(ranks, kImpatient, [&](Communicator& communicator) {
    try {
      body(communicator);
    } catch (const TimeoutError& error) {
      heard.errors[static_cast<std::size_t>(communicator.rank())] = error.what();
    }
    // A rank that leaves at once would itself be named to those that still ask.
    std::this_thread::sleep_for(8 * kLimit);
  });
  heard.printed = ::testing::internal::GetCapturedStderr();
  return heard;
}

TEST(RollCall, EveryRankLearnsWhoIsMissingAndOneSaysIt) {
  const Heard heard = hear(4, [](Communicator& communicator) {
    if (communicator.rank() != 3) communicator.all_gather(at::ones({2, 5}));
  });
  for (std::size_t rank = 0; rank < 3; ++rank) {
    EXPECT_NE(heard.errors[rank].find("no answer from rank 3"), std::string::npos) << heard.errors[rank];
    EXPECT_EQ(heard.errors[rank].find("rank 2,"), std::string::npos) << heard.errors[rank];
  }
  EXPECT_EQ(heard.errors[3], "");
  const std::string table =
      "where the ranks of this job are, asked by rank 0:\n"
      "  ranks 0 to 2: in all_gather (#0, fp32 [2, 5])\n"
      "  rank 3: no answer within 600 ms; it is stopped or gone, or busy with something else\n";
  const std::size_t found = heard.printed.find(table);
  ASSERT_NE(found, std::string::npos) << heard.printed;
  EXPECT_EQ(heard.printed.find("where the ranks", found + 1), std::string::npos) << heard.printed;
}

TEST(RollCall, AnotherRankAsksWhereRank0IsMissing) {
  const Heard heard = hear(5, [](Communicator& communicator) {
    if (communicator.rank() != 0) communicator.barrier();
  });
  for (std::size_t rank = 1; rank < 5; ++rank) {
    EXPECT_NE(heard.errors[rank].find("no answer from rank 0"), std::string::npos) << heard.errors[rank];
  }
  const std::size_t found = heard.printed.find("asked by rank 2:\n");
  ASSERT_NE(found, std::string::npos) << heard.printed;
  EXPECT_EQ(heard.printed.find("asked by", found + 1), std::string::npos) << heard.printed;
}

TEST(RollCall, RanksThatWaitForEachOtherInOtherCallsAreShown) {
  const Heard heard = hear(2, [](Communicator& communicator) {
    const auto pair = communicator.split(0);
    if (communicator.rank() == 0) {
      pair->barrier();
    } else {
      communicator.barrier();
    }
  });
  EXPECT_NE(heard.errors[0].find("all ranks answered, so they make different calls"), std::string::npos)
      << heard.errors[0];
  EXPECT_NE(heard.printed.find("  rank 0: in barrier (#0)\n  rank 1: in barrier (#1)\n"), std::string::npos)
      << heard.printed;
}

TEST(RollCall, ABrokenGroupWaitsForNothingMore) {
  std::mutex mutex;
  std::vector<double> seconds;
  hear(2, [&](Communicator& communicator) {
    if (communicator.rank() == 1) return;
    const auto begin = std::chrono::steady_clock::now();
    std::vector<Work> works;
    for (int i = 0; i < 10; ++i) works.push_back(communicator.start_all_reduce(at::ones({2000}), ReduceOp::kSum));
    EXPECT_THROW(works.front().wait(), TimeoutError);
    EXPECT_THROW(works[1].wait(), BrokenGroupError);
    EXPECT_THROW(communicator.barrier(), BrokenGroupError);
    EXPECT_THROW(communicator.start_all_gather(at::ones({2})), BrokenGroupError);
    works.clear();
    const std::lock_guard lock(mutex);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  });
  ASSERT_EQ(seconds.size(), 1u);
  // One limit, and one roll call as long; ten works would wait for ten.
  EXPECT_LT(seconds[0], 7.0 * std::chrono::duration<double>(kLimit).count());
}

TEST(RankRanges, NeighboursAreARange) {
  EXPECT_EQ(rank_ranges({3}), "rank 3");
  EXPECT_EQ(rank_ranges({0, 1}), "ranks 0, 1");
  EXPECT_EQ(rank_ranges({0, 1, 2, 5, 7, 8}), "ranks 0 to 2, 5, 7, 8");
  EXPECT_EQ(ranks_by_host({"a", "a", "a", "b", "a"}), "ranks 0 to 2, 4 on a, rank 3 on b");
  EXPECT_EQ(ranks_by_host({1, 3}, {"a", "a", "a", "b", "a"}), "rank 1 on a, rank 3 on b");
}

}  // namespace
}  // namespace negatron::testing
