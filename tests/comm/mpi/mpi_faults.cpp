// Faults under mpirun: tests/comm/CMakeLists.txt says how each must end. A rank that is late, that makes one call less,
// or that is gone: always an end with words, within the time limit, never a hang.

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/mpi/mpi_communicator.h"
#include "tests/support/rank_listener.h"
#include "tests/support/rank_test.h"

namespace negatron::testing {
namespace {

constexpr std::chrono::milliseconds kLimit{700};

std::unique_ptr<Communicator> impatient_world() {
  return make_mpi_communicator(environment(), {.check = false, .time_limit = kLimit});
}

TEST(MpiFaults, ARankIsLate) {
  const auto communicator = impatient_world();
  if (communicator->rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(20));
  communicator->all_reduce(at::ones({5}), ReduceOp::kSum);
}

TEST(MpiFaults, ARankSkipsACollective) {
  const auto communicator = impatient_world();
  if (communicator->rank() != 1) communicator->all_gather(at::ones({5, 2}));
  communicator->barrier();
}

TEST(MpiFaults, ARankStandsStill) {
  const auto communicator = impatient_world();
  communicator->barrier();
  if (communicator->rank() == 1) std::raise(SIGSTOP);
  communicator->barrier();
}

TEST(MpiFaults, ManyAreInFlight) {
  const auto communicator = impatient_world();
  if (communicator->rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(20));
  const auto begin = std::chrono::steady_clock::now();
  try {
    std::vector<Work> works;
    for (int i = 0; i < 10; ++i) works.push_back(communicator->start_all_reduce(at::ones({5000}), ReduceOp::kSum));
    for (Work& work : works) work.wait();
  } catch (const TimeoutError& error) {
    // The works that were not waited for have been settled on the way here.
    const auto waited = std::chrono::steady_clock::now() - begin;
    // One limit, and two steps of a roll call.
    if (waited < 4 * kLimit) {
      print_now("", "rank " + std::to_string(communicator->rank()) + " waited for one limit");
    }
    EXPECT_NE(std::string(error.what()).find("no answer from rank 1 on "), std::string::npos) << error.what();
    EXPECT_THROW(communicator->barrier(), BrokenGroupError);
    throw;
  }
}

TEST(MpiFaults, ARankIsKilled) {
  // So late that only the launcher can have ended the job.
  const auto communicator =
      make_mpi_communicator(environment(), {.check = false, .time_limit = std::chrono::seconds(50)});
  communicator->barrier();
  if (communicator->rank() == 1) std::raise(SIGKILL);
  communicator->barrier();
}

TEST(MpiFaults, ARankThrows) {
  const auto communicator =
      make_mpi_communicator(environment(), {.check = false, .time_limit = std::chrono::seconds(50)});
  if (communicator->rank() == 1) throw std::runtime_error("cannot read the data");
  communicator->barrier();
}

}  // namespace
}  // namespace negatron::testing
