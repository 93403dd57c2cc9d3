#pragma once

#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/Generator.h>

namespace negatron {

/// Where the random numbers stand that layers such as dropout draw: torch's generators of the host and, on a GPU, of
/// the device.
class RandomState {
 public:
  /// As they stand now. Local.
  explicit RandomState(at::Device device);
  /// The next numbers are those that came next when *this was made. Local.
  void restore() const;

 private:
  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

}  // namespace negatron
