#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace negatron {

/// Runs a command that is one process, "negatron bank", and says on `problems` in one sentence what it threw. As one
/// rank of several it refuses, which the first of them says. Returns the exit code. Local: no MPI.
int run_one_process(const std::string& command, std::ostream& problems, const std::function<int()>& run);

}  // namespace negatron
