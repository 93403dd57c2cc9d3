#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// `negatron export RUN|SNAPSHOT FILE`: results to `out`, one sentence of what is wrong to `problems`. Local: one
/// process, no MPI; as one rank of several it refuses. Returns the exit code.
int run_export(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems);

/// As FlagTable::print_completions().
void print_export_completions(std::ostream& out);

}  // namespace negatron
