#include "runtime/snapshots/writer_pace.h"

#include <time.h>

#include <chrono>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron::testing {
namespace {

using Clock = std::chrono::steady_clock;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void work_for(double seconds) {
  const double begin = processor_seconds();
  while (processor_seconds() - begin < seconds) {
  }
}

double seconds_of(const std::function<void()>& call) {
  const auto begin = Clock::now();
  call();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// On a thread of its own, whose clock begins at zero.
template <typename Call>
void on_a_thread(const Call& call) {
  std::thread(call).join();
}

TEST(WriterPace, WorksForATenthOfTheTime) {
  WriterPace pace;
  for (int thread = 0; thread < 2; ++thread) {
    on_a_thread([&] {
      pace.between_blocks();
      work_for(0.01);
      EXPECT_GE(seconds_of([&] { pace.between_blocks(); }), 0.09);
      // No work, no rest.
      EXPECT_LT(seconds_of([&] { pace.between_blocks(); }), 0.08);
    });
  }
}

TEST(WriterPace, DoesNotRestOnceTrainingWaits) {
  WriterPace pace;
  on_a_thread([&] {
    pace.hurry();
    work_for(0.2);
    EXPECT_LT(seconds_of([&] { pace.between_blocks(); }), 0.9);
  });
}

TEST(WriterPace, WakesFromItsRestWhenTrainingWaitsOrGivesTheSaveUp) {
  for (const bool gives_up : {false, true}) {
    WriterPace pace;
    std::thread writer([&] {
      work_for(0.5);
      const double rest = seconds_of([&] {
        if (gives_up) {
          EXPECT_THROW(pace.between_blocks(), SnapshotError);
        } else {
          pace.between_blocks();
        }
      });
      EXPECT_LT(rest, 4.0);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    gives_up ? pace.give_up() : pace.hurry();
    writer.join();
  }
}

}  // namespace
}  // namespace negatron::testing
