#include "samplers/negative_samplers/type_pools.h"

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace negatron {
namespace {

constexpr std::int64_t kNoType = -1;

void check_length(const std::string& method, const char* name, const NumberList& list, std::int64_t types) {
  if (list.empty() || static_cast<std::int64_t>(list.size()) == types) return;
  throw std::invalid_argument(method + ": " + name + " has " + std::to_string(list.size()) +
                              " numbers, but --sample-types has " + std::to_string(types) + " types.");
}

}  // namespace

std::int64_t count_types(const at::Tensor& sample_types) {
  // All samples without a type make it 0.
  return sample_types.numel() == 0 ? 0 : sample_types.max().item<std::int64_t>() + 1;
}

TypePools::TypePools(const std::string& method, const at::Tensor& sample_types, const NumberList& budgets,
                     const NumberList& scales)
    : sample_types_(sample_types), scales_(scales) {
  if (budgets.empty() && scales.empty()) return;
  if (!budgets.empty() && !scales.empty()) {
    throw std::invalid_argument(method +
                                ": give budgets or type-scales, not both: a budget already says how much of a "
                                "type there is.");
  }
  if (!sample_types.defined()) {
    throw std::invalid_argument(method +
                                ": budgets and type-scales need the type of each sample: --sample-types FILE.");
  }
  const std::int64_t types = count_types(sample_types);
  check_length(method, "budgets", budgets, types);
  check_length(method, "type-scales", scales, types);
  for (const double scale : scales) {
    if (!(scale > 0.0)) throw std::invalid_argument(method + ": type-scales must be above 0.");
  }
  for (const double budget : budgets) {
    if (budget < 0.0 || budget != std::floor(budget)) {
      throw std::invalid_argument(method + ": budgets are whole numbers of rows.");
    }
    budgets_.push_back(std::llround(budget));
  }
  if (!budgets_.empty() && hard_rows(0) == 0) throw std::invalid_argument(method + ": one budget must be above 0.");
}

at::Tensor TypePools::types_of_rows(const Bank& bank) const {
  // Ids below 0, of random rows and holes, read the type of sample 0, which is then replaced.
  const at::Tensor ids = bank.shard().ids;
  const at::Tensor types = sample_types_.index_select(0, ids.clamp(0, sample_types_.size(0) - 1));
  return types.masked_fill(ids < 0, kNoType);
}

std::vector<HardPool> TypePools::of(const Bank& bank, std::int64_t n) const {
  const at::Tensor types = types_of_rows(bank);
  if (!scales_.empty()) {
    // Rows of no type count as they score.
    std::vector<double> factors{1.0};
    factors.insert(factors.end(), scales_.begin(), scales_.end());
    // Type -1 is entry 0 of the factors, type t entry t + 1. [n] factors for the n rows of this shard.
    return {{{at::Tensor(), at::tensor(factors, at::kDouble).index_select(0, types.clamp_min(kNoType) + 1)}, n}};
  }
  // Types without a budget have no pool. Budgets are options, so all ranks have the same pools, also a rank that holds
  // no row of some type: a search in a pool is collective.
  std::vector<HardPool> pools;
  for (std::size_t type = 0; type < budgets_.size(); ++type) {
    if (budgets_[type] > 0) pools.push_back({{types == static_cast<std::int64_t>(type), at::Tensor()}, budgets_[type]});
  }
  return pools;
}

std::int64_t TypePools::hard_rows(std::int64_t n) const {
  return budgets_.empty() ? n : std::accumulate(budgets_.begin(), budgets_.end(), std::int64_t{0});
}

}  // namespace negatron
