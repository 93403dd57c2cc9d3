#pragma once

#include <functional>

#include "comm/communicator.h"

namespace negatron::testing {

/// Runs `body` on as many threads, each a rank of a gloo group that process_group_contract.py has registered. What a
/// rank throws is a failure of the test that names it.
void run_over_groups(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace negatron::testing
