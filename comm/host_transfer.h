#pragma once

#include <chrono>
#include <memory>

namespace negatron {

/// Bytes of one collective on their way between the host tensors of a group. Keeps those tensors alive.
class HostTransfer {
 public:
  virtual ~HostTransfer() = default;
  /// True when all bytes are there. Never blocks. Throws CommError when they will never be.
  virtual bool test() = 0;
  /// Returns when `test` is true. Throws TimeoutError after `limit`. Polls; gives up the core between two looks.
  virtual void wait(std::chrono::milliseconds limit);
};

using HostTransferPtr = std::unique_ptr<HostTransfer>;

}  // namespace negatron
