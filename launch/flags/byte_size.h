#pragma once

#include <cstdint>

#include "launch/flags/flag_table.h"

namespace negatron {

/// A field that holds a number of bytes, at least one: 2GiB, 500MiB, 64KiB or 1000. `field` outlives what is returned.
/// Local.
TypedField byte_size_field(std::int64_t* field);

}  // namespace negatron
