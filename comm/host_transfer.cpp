#include "comm/host_transfer.h"

#include <string>
#include <thread>

#include "comm/error.h"

namespace negatron {
namespace {

using Clock = std::chrono::steady_clock;

// Short collectives end while the rank only yields; a long wait is not worth a core.
constexpr std::chrono::milliseconds kYieldFor{2};
constexpr std::chrono::microseconds kNap{50};

}  // namespace

void HostTransfer::wait(std::chrono::milliseconds limit) {
  const Clock::time_point start = Clock::now();
  // The limit is looked at after a test that failed, so that a transfer which is complete never times out, however late
  // the rank is to ask.
  while (!test()) {
    const Clock::duration waited = Clock::now() - start;
    if (waited > limit) throw_timeout(limit);
    if (waited < kYieldFor) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kNap);
    }
  }
}

}  // namespace negatron
