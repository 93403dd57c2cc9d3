#pragma once

#include <string>

#include "runtime/snapshots/files/file_writing.h"

namespace negatron::testing {

/// A fault that a test program asks of itself: "STAGE:RANK:ACTION[:N]" in NEGATRON_FAULT. When rank RANK reaches the
/// stage for the N-th time (1 without N) it is killed ("kill") or stopped ("stop": SIGSTOP, for someone outside to go
/// on), the stage throws ("error"), or it takes a second ("delay").
struct NamedFault {
  std::string stage;
  int rank = -1;
  std::string action;
  int on = 1;
};

/// Throws std::invalid_argument for what it cannot read. An empty text is no fault.
NamedFault parse_fault(const std::string& text);

/// A hook that brings the fault about.
SavePointHook fault_hook(const NamedFault& fault, int rank);

}  // namespace negatron::testing
