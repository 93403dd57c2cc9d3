#pragma once

#include <cstddef>
#include <memory>

#include "comm/communicator.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/training/pretrain_options.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// How rows of the bank are stored: as --bank-dtype says, or fp64 in a run of fp64, a reference run, in which rows of
/// fewer bits would hide what it is there to show. Local.
at::ScalarType row_type(const PretrainOptions& options, Precision precision);

/// Ranks that share one copy of the bank, S: all of them unless the options say otherwise.
int shard_count(const PretrainOptions& options, const Communicator& comm);

/// The bank that the options describe. Local.
BankOptions bank_options(const PretrainOptions& options, const ComputePlace& place);

/// How the bank that the options describe lies over `ranks` ranks. Local.
BankLayout layout_of_bank(const PretrainOptions& options, int ranks);

/// This rank's shard of the bank of that number in bank_names() (view_banks.h), laid out over the ranks of `group`,
/// which share one copy. Local.
std::unique_ptr<Bank> make_bank(const PretrainOptions& options, const ComputePlace& place, const Communicator& group,
                                std::size_t number = 0);

}  // namespace negatron
