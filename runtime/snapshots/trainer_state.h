#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// All that a run must remember beside its bank, by name. Replicated: what rank 0 gives is what is written, and what
/// every rank reads.
struct TrainerState {
  /// Names have no '/', and come back in this order.
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::map<std::string, std::string> text;
  std::map<std::string, std::variant<std::int64_t, double>> numbers;
};

}  // namespace negatron
