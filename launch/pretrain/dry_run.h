#pragma once

#include <iosfwd>

#include "runtime/run/pretrain_data.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// Prints what a run would work on: how many images and classes, shapes of one step, and the memory of one rank that
/// its size decides (parameters, optimizer, bank, batch), computed from the objects themselves. Local.
void print_dry_run(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                   const PretrainData& data, Communicator& comm, std::ostream& out);

}  // namespace negatron
