#include "tests/reference/plain_mixes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "samplers/exchange/mixes/bank_clusters.h"
#include "samplers/random/philox.h"

namespace negatron::testing {
namespace {

using Indices = std::vector<std::int64_t>;

class PlainMixer {
 public:
  PlainMixer(const PlainBank& bank, const at::Tensor& query, std::int64_t index)
      : bank_(bank), index_(index), vector_(query), vectors_(bank.rows.vectors.to(at::kDouble)) {}

  at::Tensor pair_mix(std::int64_t first, std::int64_t second, double alpha) const {
    const at::Tensor mixed = alpha * vectors_[first] + (1.0 - alpha) * vectors_[second];
    return mixed / mixed.norm();
  }
  at::Tensor query_mix(std::int64_t row, double beta) const {
    const at::Tensor mixed = beta * vector_ + (1.0 - beta) * vectors_[row];
    return mixed / mixed.norm();
  }
  CounterRng stream(const MixRecipe& recipe, Purpose purpose) const {
    return {recipe.seed, purpose, static_cast<std::uint64_t>(recipe.step), static_cast<std::uint64_t>(index_)};
  }

  std::vector<at::Tensor> mixes_of_any(const MixRecipe& recipe, const Indices& members) const {
    std::vector<at::Tensor> mixes;
    CounterRng random = stream(recipe, Purpose::kPairMix);
    for (std::int64_t k = 0; k < recipe.pairs && (members.size() > 1 || !recipe.distinct); ++k) {
      Indices others = members;
      const std::size_t first = random.below(members.size());
      if (recipe.distinct) others.erase(others.begin() + static_cast<std::ptrdiff_t>(first));
      const std::size_t second = random.below(others.size());
      mixes.push_back(pair_mix(members[first], others[second], random.uniform()));
    }
    add_query_mixes(recipe, members, mixes);
    return mixes;
  }

  void add_query_mixes(const MixRecipe& recipe, const Indices& members, std::vector<at::Tensor>& mixes) const {
    CounterRng random = stream(recipe, Purpose::kQueryMix);
    for (std::int64_t k = 0; k < recipe.query_mixes; ++k) {
      const std::size_t partner = random.below(members.size());
      mixes.push_back(query_mix(members[partner], recipe.max_query_share * random.uniform()));
    }
  }

  std::vector<at::Tensor> mixes_of_one_position(const MixRecipe& recipe, Indices members) const {
    const auto position = [&](std::int64_t row) {
      return std::make_tuple(bank_.batch_sizes[row].item<std::int64_t>(), bank_.offsets[row].item<std::int64_t>());
    };
    const auto place = [&](std::int64_t row) {
      return std::tuple_cat(position(row), std::make_tuple(bank_.rows.slots[row].item<std::int64_t>()));
    };
    std::sort(members.begin(), members.end(), [&](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (const std::int64_t first : members) {
      for (const std::int64_t second : members) {
        if (position(first) == position(second) && (first != second || !recipe.distinct))
          pairs.emplace_back(first, second);
      }
    }
    std::vector<at::Tensor> mixes;
    CounterRng random = stream(recipe, Purpose::kPairMix);
    for (std::int64_t k = 0; k < recipe.pairs && !pairs.empty(); ++k) {
      const auto& [first, second] = pairs[random.below(pairs.size())];
      mixes.push_back(pair_mix(first, second, random.uniform()));
    }
    add_query_mixes(recipe, members, mixes);
    return mixes;
  }

 private:
  const PlainBank& bank_;
  std::int64_t index_;
  at::Tensor vector_;   // [d]
  at::Tensor vectors_;  // [K, d]
};

Indices within_limits(const MixRecipe& recipe, const Indices& hard, const at::Tensor& labels,
                      std::int64_t own_cluster) {
  const double most = std::ceil(recipe.max_label_share * static_cast<double>(recipe.hard));
  std::map<std::int64_t, int> seen;
  Indices kept;
  for (const std::int64_t row : hard) {
    const auto label = labels[row].item<std::int64_t>();
    if (label >= 0 && (label == own_cluster || ++seen[label] > most)) continue;
    kept.push_back(row);
  }
  return kept;
}

/// The rows in the slots that a stream of random numbers names, each once.
std::vector<at::Tensor> drawn_rows(const PlainBank& bank, std::size_t count, std::uint64_t seed, std::int64_t step,
                                   std::uint64_t stream) {
  CounterRng random(seed, Purpose::kClusterStart, static_cast<std::uint64_t>(step), stream);
  Indices slots;
  std::vector<at::Tensor> rows;
  while (rows.size() < count) {
    const auto slot = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bank.rows.slots.size(0))));
    if (std::find(slots.begin(), slots.end(), slot) != slots.end()) continue;
    slots.push_back(slot);
    for (std::int64_t row = 0; row < bank.rows.slots.size(0); ++row) {
      if (bank.rows.slots[row].item<std::int64_t>() == slot) rows.push_back(bank.rows.vectors[row].to(at::kDouble));
    }
  }
  return rows;
}

}  // namespace

std::vector<at::Tensor> plain_mixes(const PlainBank& bank, const MixRecipe& recipe, const Indices& hard,
                                    const at::Tensor& labels, std::int64_t own_cluster, const at::Tensor& query,
                                    std::int64_t index) {
  const PlainMixer mixer(bank, query, index);
  if (recipe.mode == MixRecipe::Mode::kNoFetch) return mixer.mixes_of_one_position(recipe, hard);
  const bool limited = recipe.max_label_share < 1.0 || own_cluster >= 0;
  const Indices members = limited ? within_limits(recipe, hard, labels, own_cluster) : hard;
  return members.empty() ? std::vector<at::Tensor>{} : mixer.mixes_of_any(recipe, members);
}

at::Tensor plain_centroids(const PlainBank& bank, std::int64_t clusters, std::uint64_t seed, std::int64_t step) {
  const std::int64_t rows = bank.rows.slots.size(0);
  if (rows < clusters) return {};
  std::vector<at::Tensor> centroids = drawn_rows(bank, static_cast<std::size_t>(clusters), seed, step, 0);
  for (int round = 1; round <= BankClusters::kFirstRounds; ++round) {
    std::vector<std::vector<at::Tensor>> members(centroids.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      const at::Tensor vector = bank.rows.vectors[row].to(at::kDouble);
      members[static_cast<std::size_t>(plain_cluster(at::stack(centroids), vector))].push_back(vector);
    }
    std::size_t lost = 0;
    for (const auto& of_cluster : members) lost += of_cluster.empty() ? 1 : 0;
    const std::vector<at::Tensor> starts = drawn_rows(bank, lost, seed, step, static_cast<std::uint64_t>(round));
    auto next = starts.begin();
    for (std::size_t i = 0; i < centroids.size(); ++i) {
      if (members[i].empty()) {
        centroids[i] = *next++;
        continue;
      }
      const at::Tensor mean = at::stack(members[i]).sum(0);
      centroids[i] = mean / mean.norm();
    }
  }
  return at::stack(centroids);
}

std::int64_t plain_cluster(const at::Tensor& centroids, const at::Tensor& row) {
  if (!centroids.defined()) return BankClusters::kNoCluster;
  return centroids.mv(row).to(at::kFloat).argmax().item<std::int64_t>();
}

}  // namespace negatron::testing
