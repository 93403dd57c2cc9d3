#pragma once

#include <cstdint>
#include <span>

#include "runtime/snapshots/bank_reader.h"

namespace negatron {

/// The keys with these sequence numbers, ascending, all of which count; read in runs of consecutive ones. Local. Throws
/// as BankReader.
BankBlock read_listed(BankReader& reader, std::span<const std::int64_t> sequence);

}  // namespace negatron
