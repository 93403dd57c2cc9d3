#include "samplers/exchange/mixes/mix_draws.h"

#include <stdexcept>

#include "samplers/random/philox.h"

namespace negatron {
namespace {

std::int64_t below(CounterRng& random, std::int64_t n) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
}

void require_members(const at::Tensor& positions, std::int64_t members) {
  if ((positions < 0).logical_or(positions >= members).any().item<bool>()) {
    throw std::invalid_argument("mixes: a draw by hand names a position that the hard set does not have");
  }
}

void by_hand(MixDraws& draws, const MixRecipe& plan, std::int64_t query, std::int64_t members) {
  if (plan.pairs > 0) {
    require_members(plan.first, members);
    require_members(plan.second, members);
    draws.first[query].copy_(plan.first);
    draws.second[query].copy_(plan.second);
    draws.alpha[query].copy_(plan.alpha);
  }
  if (plan.query_mixes > 0) {
    require_members(plan.query_partner, members);
    draws.partner[query].copy_(plan.query_partner);
    draws.beta[query].copy_(plan.beta);
  }
}

void at_random(MixDraws& draws, const MixRecipe& plan, std::int64_t query, std::int64_t index, std::int64_t members) {
  // A generator for each query and kind of mix: the number of ranks, other queries and the number of the other kind's
  // mixes do not show in what is drawn. A single member has no other to pair with, so a distinct plan leaves its pairs
  // at -1.
  const auto step = static_cast<std::uint64_t>(plan.step);
  if (!plan.distinct || members > 1) {
    CounterRng random(plan.seed, Purpose::kPairMix, step, static_cast<std::uint64_t>(index));
    auto* first = draws.first.mutable_data_ptr<std::int64_t>() + query * plan.pairs;
    auto* second = draws.second.mutable_data_ptr<std::int64_t>() + query * plan.pairs;
    auto* alpha = draws.alpha.mutable_data_ptr<double>() + query * plan.pairs;
    for (std::int64_t k = 0; k < plan.pairs; ++k) {
      first[k] = below(random, members);
      second[k] = below(random, plan.distinct ? members - 1 : members);
      // Drawn among the members without the first, and then moved past it: of 4 members with first = 1, the numbers 0,
      // 1, 2 stand for the members 0, 2, 3, all alike likely.
      if (plan.distinct && second[k] >= first[k]) ++second[k];
      alpha[k] = random.uniform();
    }
  }
  CounterRng random(plan.seed, Purpose::kQueryMix, step, static_cast<std::uint64_t>(index));
  auto* partner = draws.partner.mutable_data_ptr<std::int64_t>() + query * plan.query_mixes;
  auto* beta = draws.beta.mutable_data_ptr<double>() + query * plan.query_mixes;
  for (std::int64_t k = 0; k < plan.query_mixes; ++k) {
    partner[k] = below(random, members);
    beta[k] = plan.max_query_share * random.uniform();
  }
}

}  // namespace

MixDraws draw_mixes(const MixRecipe& plan, const at::Tensor& query_index, const at::Tensor& members) {
  const at::Tensor host_index = query_index.to(at::kCPU, at::kLong).contiguous();
  const at::Tensor host_members = members.to(at::kCPU, at::kLong).contiguous();
  const std::int64_t queries = host_index.numel();
  MixDraws draws{at::full({queries, plan.pairs}, -1, at::kLong), at::full({queries, plan.pairs}, -1, at::kLong),
                 at::zeros({queries, plan.pairs}, at::kDouble), at::full({queries, plan.query_mixes}, -1, at::kLong),
                 at::zeros({queries, plan.query_mixes}, at::kDouble)};
  const bool given = plan.first.defined() || plan.query_partner.defined();
  for (std::int64_t query = 0; query < queries; ++query) {
    const std::int64_t count = host_members.const_data_ptr<std::int64_t>()[query];
    if (count == 0) continue;
    if (given) {
      by_hand(draws, plan, query, count);
    } else {
      at_random(draws, plan, query, host_index.const_data_ptr<std::int64_t>()[query], count);
    }
  }
  return draws;
}

}  // namespace negatron
