#include "runtime/snapshots/files/writer_pace.h"

#include <sys/resource.h>
#include <time.h>

#include <atomic>
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
      // No new work, no new rest: these would take 1.8 s if the old work counted again.
      EXPECT_LT(seconds_of([&] {
                  for (int call = 0; call < 20; ++call) pace.between_blocks();
                }),
                1.5);
    });
  }
}

/// How often this thread has given up its core by itself so far.
std::int64_t waits() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

TEST(WriterPace, DoesNotRestOnceTrainingWaits) {
  WriterPace pace;
  on_a_thread([&] {
    work_for(0.01);
    std::int64_t before = waits();
    pace.between_blocks();
    EXPECT_GT(waits(), before);
    pace.hurry();
    work_for(0.01);
    before = waits();
    pace.between_blocks();
    EXPECT_EQ(waits(), before);
  });
}

TEST(WriterPace, EndsTheWritingOfASaveThatIsGivenUp) {
  WriterPace pace;
  std::atomic<bool> ended = false;
  std::thread writer([&] {
    const auto write = [&] {
      for (;;) {
        work_for(0.001);
        pace.between_blocks();
      }
    };
    EXPECT_THROW(write(), SnapshotError);
    ended = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(ended);
  pace.give_up();
  writer.join();
}

}  // namespace
}  // namespace negatron::testing
