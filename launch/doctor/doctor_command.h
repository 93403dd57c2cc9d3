#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// `negatron doctor`: whether the hosts, the network and the directory of a job will do, in under a minute. Starts MPI
/// and ends it. Collective in effect; rank 0 speaks. Returns the exit code: kExitFailure where something will not work.
int run_doctor(int argc, char** argv, const std::vector<std::string>& arguments, std::ostream& out,
               std::ostream& problems);

void print_doctor_help(std::ostream& out);
/// As FlagTable::print_completions().
void print_doctor_completions(std::ostream& out);

}  // namespace negatron
