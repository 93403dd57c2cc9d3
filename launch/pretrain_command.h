#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "comm/environment.h"

namespace negatron {

void print_pretrain_help(std::ostream& out);

/// `negatron pretrain`: flags -> options -> objects -> the run. Collective. Throws UsageError on every rank when the
/// request cannot work; any other exception is this rank's own and must end the job.
void run_pretrain(Environment& environment, const std::vector<std::string>& arguments);

}  // namespace negatron
