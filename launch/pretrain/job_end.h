#pragma once

#include <string>

namespace negatron {

/// To standard error, in one write; from any thread. Local.
void say_at_once(const std::string& text);

/// Ends this process now with `exit_code`, from any thread: without destructors and MPI_Finalize, which could wait for
/// ranks that are gone. The other ranks, which would wait for this one until their time limit, end with it: mpirun sees
/// to that by itself, and of another launcher MPI asks it, for a second at most.
[[noreturn]] void end_process(int exit_code);

}  // namespace negatron
