#pragma once

#include "launch/flags/flag_table.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// The flags of how views are made and normalised, bound to the fields of `options`, which must outlive the table.
void add_view_flags(FlagTable& table, PretrainOptions& options);

}  // namespace negatron
