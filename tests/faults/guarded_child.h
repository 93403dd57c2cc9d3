#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace negatron::testing {

/// What a child may take.
struct ChildLimits {
  std::chrono::seconds time{20};
  /// Memory that it has beyond what it began with.
  std::int64_t bytes = std::int64_t{512} << 20;
  /// Of a file that it writes.
  std::int64_t file_bytes = std::int64_t{64} << 20;
};

/// How a child ended.
struct ChildEnd {
  /// Empty when it ended by itself, within its limits, with a code from 0 to 2.
  std::string complaint;
  int code = 0;
  double seconds = 0.0;
  std::int64_t bytes = 0;
};

/// Runs `work` in a forked child whose exit code is what it returns, and waits for it: a crash, a hang or a flood of
/// memory is the child's alone. The caller must have no threads at work. Local.
ChildEnd run_guarded(const ChildLimits& limits, const std::function<int()>& work);

}  // namespace negatron::testing
