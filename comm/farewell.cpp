#include "comm/farewell.h"

#include <algorithm>

namespace negatron {
namespace {

/// A start waits for disks, an evaluation for the slowest share: after some hundred collectives that is forgotten.
constexpr double kKept = 0.99;
constexpr int kMostOfLongest = 2;

}  // namespace

void Farewell::count(Duration wait) noexcept {
  const auto kept = static_cast<Duration::rep>(kKept * static_cast<double>(longest_.load()));
  longest_.store(std::max(wait.count(), kept));
}

Farewell::Duration Farewell::patience(std::chrono::milliseconds limit) const noexcept {
  if (!begun_.load()) return limit;
  return std::min<Duration>(limit, std::max<Duration>(kLeast, kMostOfLongest * Duration(longest_.load())));
}

Farewell& farewell() {
  static Farewell own;
  return own;
}

}  // namespace negatron
