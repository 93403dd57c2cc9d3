#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/call.h"

namespace negatron {

/// Checked mode: what a rank says of its call before it makes it, in a fixed number of bytes. Local.
std::string pack_signature(const Call& call, std::int64_t sequence);

/// Throws CommError, with the same sentence on every rank, when the packed signatures of all ranks are not alike or
/// when one of them is a refusal. Local.
void compare_signatures(const std::vector<std::string>& packed);

/// Ragged all_to_all: send and receive counts of one rank, and the comparison of those of all: rank r must send to s
/// what s expects from r. Local.
std::string pack_rows(const Call& call);
void compare_rows(const std::vector<std::string>& packed);

}  // namespace negatron
