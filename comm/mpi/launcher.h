#pragma once

#include <string>

#include <sys/types.h>

namespace negatron {

/// The name under which process `pid` runs, of which the kernel keeps 15 letters; empty where it cannot be seen. Local.
std::string process_name(pid_t pid);

/// Whether this process was started by mpirun or srun itself, as their own copy of the program, and not by something
/// that they started, such as a script, an interactive shell or a Python program that is a rank, whose variables it
/// inherits. By the name of its parent; true where that cannot be read. Local.
bool is_started_by_launcher();

/// Whether process `pid` is mpirun or its daemon on this host. Local.
bool is_mpirun(pid_t pid);

}  // namespace negatron
