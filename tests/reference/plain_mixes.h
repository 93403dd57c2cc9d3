#pragma once

#include <cstdint>
#include <vector>

#include "tests/reference/plain_negatives.h"

namespace negatron::testing {

/// The mixes of one query, by definition: `hard` are the bank rows of its hard set, best first; `labels` [K] what
/// max_label_share counts; `own_cluster` the label that is left out, below 0 for none. Draws are those of the query at
/// position `index` of the global batch. query [d] fp64.
std::vector<at::Tensor> plain_mixes(const PlainBank& bank, const MixRecipe& recipe,
                                    const std::vector<std::int64_t>& hard, const at::Tensor& labels,
                                    std::int64_t own_cluster, const at::Tensor& query, std::int64_t index);

/// The twin of BankClusters from its start at `step`: centroids [C, d] fp64, undefined with fewer rows than clusters.
at::Tensor plain_centroids(const PlainBank& bank, std::int64_t clusters, std::uint64_t seed, std::int64_t step);
/// The cluster of one row [d]; -1 without centroids.
std::int64_t plain_cluster(const at::Tensor& centroids, const at::Tensor& row);

}  // namespace negatron::testing
