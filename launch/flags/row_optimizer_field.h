#pragma once

#include "launch/flags/typed_fields.h"
#include "samplers/bank/row_optimizer.h"

namespace negatron {

/// A field that holds how rows that learn are trained, for --rows-optimizer. `field` outlives what is returned. Local.
inline TypedField row_optimizer_field(RowOptimizerKind* field) {
  return one_of<RowOptimizerKind>(
      field,
      {{"sgd", RowOptimizerKind::kSgd}, {"adagrad", RowOptimizerKind::kAdagrad}, {"adam", RowOptimizerKind::kAdam}});
}

}  // namespace negatron
