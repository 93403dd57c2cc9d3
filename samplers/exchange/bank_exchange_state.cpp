// What the exchange remembers from one step to the next.

#include "samplers/exchange/bank_exchange.h"

#include <algorithm>
#include <cmath>

namespace negatron {
namespace {

// Names in snapshots: they stay as they are.
constexpr const char* kStretch = "hard_set_stretch";
constexpr const char* kClusters = "bank_clusters";
constexpr const char* kClustersRound = "bank_clusters_round";
constexpr const char* kGpuPasses = "gpu_passes";

// One letter for requests of one term, one for those of two.
constexpr char kAttention = 'a';
constexpr char kKernel = 'k';
constexpr char kNoChoice = '-';

}  // namespace

bool BankExchange::remembers(const std::string& tensor) {
  return tensor == kClusters;
}

NamedState BankExchange::state() const {
  NamedState state;
  state.numbers[kStretch] = search_.stretch();
  if (clusters_.centroids().defined()) {
    state.tensors.emplace_back(kClusters, clusters_.centroids());
    state.numbers[kClustersRound] = clusters_.last_round();
  }
  std::string letters;
  for (int terms = 1; terms <= kMostScanTerms; ++terms) {
    const char chosen = pass_.preferred(terms) == GpuPass::kKernel ? kKernel : kAttention;
    letters += has_chosen_[static_cast<std::size_t>(terms - 1)] ? chosen : kNoChoice;
  }
  if (letters.find_first_not_of(kNoChoice) != std::string::npos) state.text[kGpuPasses] = letters;
  return state;
}

void BankExchange::restore(const NamedState& state, bool with_clusters, at::Device device) {
  const double stretch = state.number(kStretch);
  const at::Tensor centroids = state.tensor(kClusters);
  const std::int64_t last_round = centroids.defined() ? state.count(kClustersRound) : 0;
  // m of a search is the least of N and stretch times a length, so what is no number, or below 1, would ask for none.
  if (!(stretch >= 1.0 && std::isfinite(stretch))) {
    throw MissingState("no possible '" + std::string(kStretch) + "' (" + std::to_string(stretch) + ")");
  }
  const bool fits = !centroids.defined() ||
                    (centroids.dim() == 2 && centroids.size(0) >= 1 && last_round >= 0 &&
                     at::isFloatingType(centroids.scalar_type()) && at::isfinite(centroids).all().item<bool>());
  if (!fits) throw MissingState("no possible '" + std::string(kClusters) + "'");
  // From here on nothing is refused.
  search_.restore_stretch(stretch);
  const std::string passes = state.text_of(kGpuPasses);
  for (std::size_t i = 0; i < std::min<std::size_t>(passes.size(), kMostScanTerms); ++i) {
    if (passes[i] == kNoChoice) continue;
    choose(passes[i] == kKernel ? GpuPass::kKernel : GpuPass::kAttention, static_cast<int>(i) + 1);
  }
  if (with_clusters && centroids.defined()) clusters_.restore(centroids.to(device, at::kDouble), last_round);
}

}  // namespace negatron
