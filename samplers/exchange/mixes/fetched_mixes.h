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
/// Collective. queries [b, d] own, query_index [b], hard_keys [b, N or more] ascending, terms with own offsets. Bytes
/// received per rank: those of fetch_rows.
MixResult run_fetched_mixes(Communicator& comm, const Bank& bank, const BankClusters& clusters, const MixRecipe& plan,
                            const at::Tensor& queries, const at::Tensor& query_index, const at::Tensor& hard_keys,
                            const std::vector<ScoreTerm>& terms, bool want_max);

/// [b] bool: which queries have the N candidates that mixing needs. hard_keys as above. Local.
at::Tensor has_hard_set(const MixRecipe& plan, const at::Tensor& hard_keys);

}  // namespace negatron
