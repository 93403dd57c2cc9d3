#pragma once

#include <vector>

#include "comm/share.h"
#include "samplers/exchange/mixes/mix_recipe.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// Which rows each of Q queries mixes: rows [Q, L] int64, -1 for no mix; shares [Q, L].
struct MixLists {
  at::Tensor first;
  at::Tensor second;
  at::Tensor alpha;
  at::Tensor partner;
  at::Tensor beta;
};

/// What mixes add to what queries met.
struct MixResult {
  PassResult scores;     // over the mixes alone
  at::Tensor score_sum;  // [Q] of the mixes' scores
  at::Tensor count;      // [b] int64, mixes of own queries over all shards
};

/// Mixes listed rows and scores the mixes; `count` is left undefined. Scores of rows are q . n in the dtype of the
/// queries [Q, d]. Local.
MixResult run_mixes(const MixRecipe& plan, const Rows& rows, const MixLists& lists, const at::Tensor& queries,
                    const std::vector<ScoreTerm>& terms, bool want_max);

}  // namespace negatron
