#pragma once

#include <optional>

#include "launch/flags/flag_table.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// A field that is auto, imagenet, or means and deviations; nothing for auto. `field` outlives what is returned. Local.
TypedField normalization_field(std::optional<Normalization>* field);

/// The flags of how views are made and normalised, bound to the fields of `options`, which must outlive the table.
void add_view_flags(FlagTable& table, PretrainOptions& options);

}  // namespace negatron
