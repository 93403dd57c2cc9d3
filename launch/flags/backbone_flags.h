#pragma once

#include "launch/flags/flag_table.h"
#include "runtime/encoders/backbone_options.h"

namespace negatron {

/// The flags that say which network the encoder is, bound to the fields of `backbone`, which must outlive the table.
void add_backbone_flags(FlagTable& table, BackboneOptions& backbone);

}  // namespace negatron
