#pragma once

#include "launch/flags/flag_table.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// The flags of the bank: its kind, what its rows are and how they change, bound to the fields of `options`, which must
/// outlive the table.
void add_bank_flags(FlagTable& table, PretrainOptions& options);

}  // namespace negatron
