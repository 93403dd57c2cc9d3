#pragma once

#include <string>

#include "comm/communicator.h"

namespace negatron {

/// The text of rank 0, on every rank. Collective.
std::string broadcast_text(Communicator& comm, const std::string& text);

}  // namespace negatron
