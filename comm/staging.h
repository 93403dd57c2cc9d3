#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// Moves tensors between the place where a caller has them and the place where a transport reads and writes, of which
/// one is the host and the other a device. Every byte passes through pinned memory. A tensor of up to `kPinnedBytes`
/// takes a block of its own size; a longer one goes through a single block of that size, part by part, so that a call
/// never pins more, however long its tensors are. Blocks come from and return to LibTorch's cache of pinned memory.
///
/// Copies are queued on the device's current stream, without a trace in autograd. Local.
class Staging {
 public:
  /// The most pinned memory that one copy takes.
  static constexpr std::int64_t kPinnedBytes = std::int64_t{4} << 20;

  /// `home` is where the transport reads and writes.
  explicit Staging(at::Device home) : home_(home) {}

  at::Device home() const noexcept { return home_; }
  /// True when the tensor lies on the other side. Two devices are no two sides.
  bool moves(const at::Tensor& tensor) const;
  /// The tensor's values at home. `tensor` may be changed as soon as this returns; the host waits for what the device
  /// still computes of it, and for a long tensor's parts.
  at::Tensor bring(const at::Tensor& tensor) const;
  /// Writes `from` (at home) into `to` (on the other side). When `to` is on the host the values are there on return.
  void give_back(const at::Tensor& from, const at::Tensor& to) const;

 private:
  at::Device home_;
};

}  // namespace negatron
