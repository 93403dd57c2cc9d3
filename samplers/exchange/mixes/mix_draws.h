#pragma once

#include <ATen/ATen.h>

#include "samplers/exchange/mixes/mix_recipe.h"

namespace negatron {

/// Which members of its hard set each of b queries mixes, and how. Positions, -1 for no mix.
struct MixDraws {
  at::Tensor first;    // [b, s] int64
  at::Tensor second;   // [b, s] int64
  at::Tensor alpha;    // [b, s] fp64
  at::Tensor partner;  // [b, s'] int64
  at::Tensor beta;     // [b, s'] fp64
};

/// For queries at positions `query_index` [b] of the global batch, with `members` [b] int64 to choose from: none, or
/// one for distinct pairs, means no mix. They are drawn from one stream of random numbers for each query's pairs and
/// one for its query mixes (in order: i, j, alpha; j, beta). On the host. Local.
MixDraws draw_mixes(const MixRecipe& recipe, const at::Tensor& query_index, const at::Tensor& members);

}  // namespace negatron
