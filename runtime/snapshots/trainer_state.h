#pragma once

#include "samplers/options/named_state.h"

namespace negatron {

/// All that a run must remember beside its bank, by name. Replicated: what rank 0 gives is what is written, and what
/// every rank reads.
using TrainerState = NamedState;

}  // namespace negatron
