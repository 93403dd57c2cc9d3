#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "comm/mpi/environment.h"

namespace negatron {

void print_embed_help(std::ostream& out);

/// `negatron embed RUN|SNAPSHOT|FILE OUT`: what a trained encoder makes of every image of some data, in a .npy or HDF5
/// file. Rank 0 writes and speaks. Collective. Throws as EncoderStart, the same sentence on every rank. Returns the
/// exit code.
int run_embed(Environment& environment, const std::vector<std::string>& arguments, std::ostream& out);

/// As FlagTable::print_completions().
void print_embed_completions(std::ostream& out);

}  // namespace negatron
