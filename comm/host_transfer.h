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
  /// Waits until `test` is true, or for about `slice`; says whether it is. Gives up the core between two looks.
  virtual bool wait(std::chrono::milliseconds slice);
};

using HostTransferPtr = std::unique_ptr<HostTransfer>;

}  // namespace negatron
