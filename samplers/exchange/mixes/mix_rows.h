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

/// The queries that mixes are made for: own ones, or those of all ranks.
struct MixQueries {
  at::Tensor vectors;            // [Q, d]
  at::Tensor index;              // [Q] int64 positions in the global batch
  std::vector<ScoreTerm> terms;  // with the offsets of these queries
};

/// What mixes add to what queries met.
struct MixResult {
  PassResult scores;     // over the mixes alone
  at::Tensor score_sum;  // [Q] of the mixes' scores
  at::Tensor count;      // [b] int64, mixes of own queries over all shards
};

/// Mixes listed rows and scores the mixes; `count` is left undefined. Scores of rows are q . n in the dtype of the
/// queries. Local.
MixResult run_mixes(const MixRecipe& recipe, const Rows& rows, const MixLists& lists, const MixQueries& queries);

}  // namespace negatron
