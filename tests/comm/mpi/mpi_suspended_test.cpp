// A job that a scheduler suspends and resumes: the time in which its processes stood still is nobody's delay.

#include <unistd.h>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "comm/mpi/mpi_communicator.h"
#include "tests/support/rank_test.h"

namespace negatron::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLimit{2500};

/// Stops this process after `delay` and lets it go on after `pause`, as a scheduler does. Returns at once.
void suspend_after(milliseconds delay, milliseconds pause) {
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return;
  // Nothing here takes a lock that another thread of the parent may have held.
  ::usleep(static_cast<useconds_t>(1000 * delay.count()));
  ::kill(self, SIGSTOP);
  ::usleep(static_cast<useconds_t>(1000 * pause.count()));
  ::kill(self, SIGCONT);
  ::_exit(0);
}

TEST(MpiSuspended, AJobThatStoodStillGoesOn) {
  const auto communicator = make_mpi_communicator(environment(), {.check = false, .time_limit = kLimit});
  communicator->barrier();
  suspend_after(milliseconds(200), milliseconds(5000));
  // Rank 0 waits in the barrier while both stand still; rank 1 comes some time after both go on.
  if (communicator->rank() == 1) {
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < seconds(6)) std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_NO_THROW(communicator->barrier());
}

}  // namespace
}  // namespace negatron::testing
