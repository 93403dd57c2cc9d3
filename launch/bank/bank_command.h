#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// `negatron bank COMMAND ...`: results to `out`, one sentence of what is wrong to `problems`. Local: one process, no
/// MPI; as one rank of several it refuses. Returns the exit code.
int run_bank(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems);

/// The commands, each with its flags behind it, as a shell completes them (launch/completion/bash_completion.h). Local.
void print_bank_completions(std::ostream& out);

}  // namespace negatron
