#pragma once

#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/mixes/bank_clusters.h"
#include "samplers/exchange/mixes/mix_recipe.h"
#include "samplers/exchange/mixes/mix_rows.h"

namespace negatron {

/// MixRecipe::kFetch: the owner of a query draws from its hard set, fetches the rows that it drew and mixes them. With
/// a label share it must know the labels before it draws and fetches the whole hard set; `clusters` gives
/// pseudo-labels.
///
/// Collective. The b own queries, hard_keys [b, N or more] ascending. Bytes received per rank: those of fetch_rows.
MixResult run_fetched_mixes(Communicator& comm, const Bank& bank, const MixRecipe& recipe, const MixQueries& queries,
                            const at::Tensor& hard_keys, const BankClusters& clusters);

/// [b] bool: which queries have the N candidates that mixing needs. hard_keys as above. Local.
at::Tensor has_hard_set(const MixRecipe& recipe, const at::Tensor& hard_keys);

}  // namespace negatron
