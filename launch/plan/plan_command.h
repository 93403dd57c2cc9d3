#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "comm/mpi/environment.h"

namespace negatron {

/// `negatron plan`: memory, bytes and time per step on a cluster, or with --here on this machine beside what it really
/// takes. Rank 0 speaks. Collective. Throws UsageError with the same sentence on every rank. Returns the exit code.
int run_plan(Environment& environment, const std::vector<std::string>& arguments, std::ostream& out);

void print_plan_help(std::ostream& out);
/// As FlagTable::print_completions().
void print_plan_completions(std::ostream& out);

}  // namespace negatron
