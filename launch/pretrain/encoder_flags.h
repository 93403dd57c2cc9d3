#pragma once

#include "launch/flags/flag_table.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// The flags of the encoder, its head and the key encoder that follows it, bound to the fields of `options`, which must
/// outlive the table. Local.
void add_encoder_flags(FlagTable& table, PretrainOptions& options);

}  // namespace negatron
