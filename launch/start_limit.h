#pragma once

#include <chrono>

namespace negatron {

/// How long the ranks may take to find each other: --collective-time-limit where the command line has it as a number of
/// seconds that can be, and then at least ten, else ten minutes. Before the flags are read, as reading them together
/// needs the ranks. Local.
std::chrono::milliseconds start_limit(int argc, const char* const* argv);

}  // namespace negatron
