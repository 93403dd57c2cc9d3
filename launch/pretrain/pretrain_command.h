#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "comm/mpi/environment.h"
#include "launch/pretrain/signal_watch.h"

namespace negatron {

void print_pretrain_help(std::ostream& out);
/// As FlagTable::print_completions(), with the words that only the command line has.
void print_pretrain_completions(std::ostream& out);

/// `negatron pretrain`: flags -> options -> objects -> the run. Returns the exit code, the same on every rank.
/// `requests` is what signals ask for. Collective. Throws UsageError on every rank when the request cannot work; any
/// other exception is this rank's own and must end the job.
int run_pretrain(Environment& environment, const std::vector<std::string>& arguments, SignalWatch& signals);

}  // namespace negatron
