#pragma once

#include <functional>

#include "comm/communicator.h"

namespace negatron {

/// Runs `work` on every rank. When it throws on any of them, every rank throws: the exception's text from the lowest
/// failing rank, as UsageError when that rank's was a matter of flags or files and as std::runtime_error otherwise. So
/// a file that only one host cannot read ends the job in one sentence instead of leaving the others waiting. `work`
/// itself may hold no collectives. Collective.
void all_or_none(Communicator& comm, const std::function<void()>& work);

}  // namespace negatron
