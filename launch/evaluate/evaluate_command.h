#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "comm/mpi/environment.h"

namespace negatron {

void print_evaluate_help(std::ostream& out);

/// `negatron evaluate RUN|SNAPSHOT|FILE`: how well images are classified by the features of a trained encoder, beside
/// raw pixels and random weights, on any data. Rank 0 speaks. Collective. Throws as EncoderStart, the same sentence on
/// every rank. Returns the exit code.
int run_evaluate(Environment& environment, const std::vector<std::string>& arguments, std::ostream& out);

/// As FlagTable::print_completions().
void print_evaluate_completions(std::ostream& out);

}  // namespace negatron
