#pragma once

#include <memory>
#include <string>

#include "comm/roll_call/roll_channel.h"

namespace negatron {

/// Letters between the ranks of a process group over the store that its ranks met in. `group_name` is that of the
/// registry of torch.distributed; all ranks pass the same `job`, which keeps the letters of several communicators over
/// one group apart. A store that is gone loses letters without a word. Local.
std::unique_ptr<RollChannel> make_store_roll_channel(const std::string& group_name, const std::string& job, int rank);

}  // namespace negatron
