#include "samplers/exchange/agreed_least.h"

#include <limits>
#include <optional>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"

namespace negatron {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

TEST(AgreedLeast, IsThatOfTheSlowestRankOnEveryRank) {
  run_ranks(2, {.check = true}, [](Communicator& comm) {
    // Alone rank 0 would take the first of each, rank 1 the second.
    const std::vector<double> own =
        comm.rank() == 0 ? std::vector<double>{1.0, 2.0, 1.0, 2.0} : std::vector<double>{3.0, 2.5, 1.5, 1.0};
    EXPECT_EQ(agreed_least(comm, own, 2, at::kCPU), (std::vector<std::optional<std::size_t>>{1, 0}))
        << "rank " << comm.rank();
  });
}

TEST(AgreedLeast, ATimeThatOneRankDoesNotHaveLeavesNoChoice) {
  run_ranks(3, {.check = true}, [](Communicator& comm) {
    const double kernel = comm.rank() == 1 ? kNever : comm.rank() == 2 ? kNoNumber : 0.5;
    EXPECT_EQ(agreed_least(comm, {1.0, kernel, kNever, kNever, 4.0, 4.0}, 3, at::kCPU),
              (std::vector<std::optional<std::size_t>>{std::nullopt, std::nullopt, 0}));
  });
}

}  // namespace
}  // namespace negatron
