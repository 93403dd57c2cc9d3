#include "samplers/exchange/mixes/mix_draws.h"

#include "samplers/random/philox.h"

namespace negatron {
namespace {

std::int64_t below(CounterRng& random, std::int64_t n) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
}

void draw_query(MixDraws& draws, const MixRecipe& recipe, std::int64_t query, std::int64_t index,
                std::int64_t members) {
  // A generator for each query and kind of mix: the number of ranks, other queries and the number of the other kind's
  // mixes do not show in what is drawn. A single member has no other to pair with, so a distinct recipe leaves its
  // pairs at -1.
  const auto step = static_cast<std::uint64_t>(recipe.step);
  if (!recipe.distinct || members > 1) {
    CounterRng random(recipe.seed, Purpose::kPairMix, step, static_cast<std::uint64_t>(index));
    auto* first = draws.first.mutable_data_ptr<std::int64_t>() + query * recipe.pairs;
    auto* second = draws.second.mutable_data_ptr<std::int64_t>() + query * recipe.pairs;
    auto* alpha = draws.alpha.mutable_data_ptr<double>() + query * recipe.pairs;
    for (std::int64_t k = 0; k < recipe.pairs; ++k) {
      first[k] = below(random, members);
      second[k] = below(random, recipe.distinct ? members - 1 : members);
      // Drawn among the members without the first, and then moved past it: of 4 members with first = 1, the numbers 0,
      // 1, 2 stand for the members 0, 2, 3, all alike likely.
      if (recipe.distinct && second[k] >= first[k]) ++second[k];
      alpha[k] = random.uniform();
    }
  }
  CounterRng random(recipe.seed, Purpose::kQueryMix, step, static_cast<std::uint64_t>(index));
  auto* partner = draws.partner.mutable_data_ptr<std::int64_t>() + query * recipe.query_mixes;
  auto* beta = draws.beta.mutable_data_ptr<double>() + query * recipe.query_mixes;
  for (std::int64_t k = 0; k < recipe.query_mixes; ++k) {
    partner[k] = below(random, members);
    beta[k] = recipe.max_query_share * random.uniform();
  }
}

}  // namespace

MixDraws draw_mixes(const MixRecipe& recipe, const at::Tensor& query_index, const at::Tensor& members) {
  const at::Tensor host_index = query_index.to(at::kCPU, at::kLong).contiguous();
  const at::Tensor host_members = members.to(at::kCPU, at::kLong).contiguous();
  const std::int64_t queries = host_index.numel();
  MixDraws draws{at::full({queries, recipe.pairs}, -1, at::kLong), at::full({queries, recipe.pairs}, -1, at::kLong),
                 at::zeros({queries, recipe.pairs}, at::kDouble),
                 at::full({queries, recipe.query_mixes}, -1, at::kLong),
                 at::zeros({queries, recipe.query_mixes}, at::kDouble)};
  for (std::int64_t query = 0; query < queries; ++query) {
    const std::int64_t count = host_members.const_data_ptr<std::int64_t>()[query];
    if (count > 0) draw_query(draws, recipe, query, host_index.const_data_ptr<std::int64_t>()[query], count);
  }
  return draws;
}

}  // namespace negatron
