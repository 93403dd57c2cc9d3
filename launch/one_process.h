#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace negatron {

/// Runs a command that is one process: `name` as a user types it, "bank". Where mpirun or srun started several of
/// it, the first refuses and the others are silent; what a rank of theirs starts is a process like any other. What
/// `act` throws becomes one sentence in `problems` and an exit code: UsageError and std::invalid_argument 2, all
/// else 1. Returns the exit code. Local.
int run_one_process(const std::string& name, std::ostream& problems, const std::function<int()>& act);

/// "negatron: MESSAGE", as every command says what is wrong; returns kExitUsage.
int refuse(std::ostream& problems, const std::string& message);

}  // namespace negatron
