#pragma once

#include "comm/communicator.h"

namespace negatron {

/// From here on the process keeps what it frees for itself. A training step frees and asks for the same maps again and
/// again; by default glibc gives such blocks back to the kernel, which must clear every page anew for the next step.
/// Does nothing with other C libraries. Local.
void keep_freed_memory();

/// How many compute threads this rank may use without taking cores from another rank of its host: the cores it is bound
/// to, divided by the ranks of the host that are bound to the same ones; at least 1. Collective.
int thread_budget(Communicator& comm);

}  // namespace negatron
