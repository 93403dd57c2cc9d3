#include "samplers/exchange/mixes/fetched_mixes.h"

#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "samplers/exchange/mixes/mix_draws.h"
#include "samplers/exchange/rows/row_fetch.h"

namespace negatron {
namespace {

/// What a query may mix: numbers [b, N] in the order of the hard set, -1 behind them.
struct Members {
  at::Tensor numbers;
  at::Tensor count;  // [b]
};

/// What decides which fetched rows a query may mix.
struct LabelLimits {
  at::Tensor of_rows;     // [D] int64, below 0 where unknown
  at::Tensor of_queries;  // [b] int64, whose rows are left out; undefined for none
  std::int64_t most = 0;  // rows of one label
};

LabelLimits limits_of(const MixRecipe& recipe, const BankClusters& clusters, const FetchedRows& fetched,
                      const at::Tensor& queries) {
  LabelLimits limits;
  limits.of_rows = recipe.clusters > 0 ? clusters.nearest(fetched.rows) : fetched.labels;
  if (recipe.skip_own_cluster) limits.of_queries = clusters.nearest(queries).to(at::kCPU);
  limits.most = std::llround(std::ceil(recipe.max_label_share * static_cast<double>(recipe.hard)));
  return limits;
}

/// Of each hard set, best first, what the limits allow. index [b, N] names fetched rows.
Members within_limits(const LabelLimits& limits, const at::Tensor& index_of_rows) {
  const at::Tensor index = index_of_rows.to(at::kCPU).contiguous();
  const at::Tensor labels = limits.of_rows.to(at::kCPU).contiguous();
  const auto* label = labels.const_data_ptr<std::int64_t>();
  Members members{at::full_like(index, -1), at::zeros({index.size(0)}, at::kLong)};
  for (std::int64_t query = 0; query < index.size(0); ++query) {
    const std::int64_t skipped =
        limits.of_queries.defined() ? limits.of_queries.const_data_ptr<std::int64_t>()[query] : -1;
    const auto* row = index.const_data_ptr<std::int64_t>() + query * index.size(1);
    auto* kept = members.numbers.mutable_data_ptr<std::int64_t>() + query * index.size(1);
    std::int64_t count = 0;
    std::unordered_map<std::int64_t, std::int64_t> seen;
    for (std::int64_t i = 0; i < index.size(1) && row[i] >= 0; ++i) {
      const std::int64_t own = label[row[i]];
      // Rows without a label are not known to be alike.
      if (own >= 0 && (own == skipped || ++seen[own] > limits.most)) continue;
      kept[count++] = row[i];
    }
    members.count.mutable_data_ptr<std::int64_t>()[query] = count;
  }
  members.numbers = members.numbers.to(index_of_rows.device());
  return members;
}

/// numbers [b, N] at positions [b, L], -1 where there is none.
at::Tensor picked(const at::Tensor& numbers, const at::Tensor& positions) {
  const at::Tensor at_device = positions.to(numbers.device());
  return numbers.gather(1, at_device.clamp_min(0)).masked_fill(at_device < 0, -1);
}

}  // namespace

at::Tensor has_hard_set(const MixRecipe& recipe, const at::Tensor& hard_keys) {
  return hard_keys.select(1, recipe.hard - 1) != kAfterAllKeys;
}

MixResult run_fetched_mixes(Communicator& comm, const Bank& bank, const MixRecipe& recipe, const MixQueries& queries,
                            const at::Tensor& hard_keys, const BankClusters& clusters) {
  const at::Device device = queries.vectors.device();
  const at::Tensor eligible = has_hard_set(recipe, hard_keys);
  const at::Tensor slots = slots_of_keys(hard_keys.narrow(1, 0, recipe.hard))
                               .masked_fill(eligible.logical_not().unsqueeze(1), -1);  // [b, N]
  // Without labels only the rows that are drawn travel, 2 s + s' at most of the N; with them the whole hard set does,
  // because which rows may be drawn depends on their labels.
  const bool labels_matter = recipe.max_label_share < 1.0 || recipe.skip_own_cluster;
  FetchedRows fetched;
  Members members{slots, eligible.to(at::kLong) * recipe.hard};
  if (labels_matter) {
    fetched = fetch_rows(comm, bank, slots);
    members = within_limits(limits_of(recipe, clusters, fetched, queries.vectors), fetched.index);
  }
  const MixDraws draws = draw_mixes(recipe, queries.index, members.count);
  MixLists lists{picked(members.numbers, draws.first), picked(members.numbers, draws.second), draws.alpha.to(device),
                 picked(members.numbers, draws.partner), draws.beta.to(device)};
  if (!labels_matter) {
    fetched = fetch_rows(comm, bank, at::cat({lists.first, lists.second, lists.partner}, 1));
    const std::vector<at::Tensor> parts =
        fetched.index.split_with_sizes({recipe.pairs, recipe.pairs, recipe.query_mixes}, 1);
    lists.first = parts[0];
    lists.second = parts[1];
    lists.partner = parts[2];
  }
  Rows rows;
  rows.vectors = fetched.rows;
  MixResult result = run_mixes(recipe, rows, lists, queries);
  result.count = (lists.first >= 0).sum(1) + (lists.partner >= 0).sum(1);
  return result;
}

}  // namespace negatron
