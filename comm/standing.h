#pragma once

#include <cstdint>
#include <string>

#include "comm/call.h"

namespace negatron {

/// Where a rank is that makes this call: "all_gather (#23, fp32 [256, 128])". Local.
std::string standing(const Call& call, std::int64_t sequence);

}  // namespace negatron
