#pragma once

#include "comm/communicator.h"

namespace negatron {

/// How many compute threads this rank may use without taking cores from another rank of its host: the cores it is bound
/// to, divided by the ranks of the host that are bound to the same ones; at least 1. Collective.
int thread_budget(Communicator& comm);

}  // namespace negatron
