// Faults under mpirun: tests/comm/CMakeLists.txt says how each must end. A rank that is late, that makes one call less,
// or that is gone: always an end with words, within the time limit, never a hang.

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "comm/mpi/mpi_communicator.h"
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
