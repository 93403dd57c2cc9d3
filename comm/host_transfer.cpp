#include "comm/host_transfer.h"

#include "comm/error.h"
#include "comm/patience.h"

namespace negatron {

void HostTransfer::wait(std::chrono::milliseconds limit) {
  const Patience patience;
  // The limit is looked at after a test that failed, so that a transfer which is complete never times out, however late
  // the rank is to ask.
  while (!test()) {
    if (patience.waited() > limit) throw_timeout(limit);
    patience.pause();
  }
}

}  // namespace negatron
