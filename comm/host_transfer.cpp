#include "comm/host_transfer.h"

#include "comm/patience.h"

namespace negatron {

bool HostTransfer::wait(std::chrono::milliseconds slice) {
  const Patience patience;
  // The time is looked at after a test that failed, so that a transfer which is complete is found so, however late the
  // rank is to ask.
  while (!test()) {
    if (patience.waited() > slice) return false;
    patience.pause();
  }
  return true;
}

}  // namespace negatron
