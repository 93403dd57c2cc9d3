#pragma once

#include <ATen/ATen.h>

#include "samplers/pass/candidates.h"

namespace negatron {

/// What some of the queries may meet; index [k] int64 ascending. Local.
Candidates select_queries(const Candidates& all, const at::Tensor& index);

}  // namespace negatron
