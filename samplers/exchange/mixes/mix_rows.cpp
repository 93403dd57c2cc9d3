#include "samplers/exchange/mixes/mix_rows.h"

#include "samplers/exchange/mixes/mixes.h"
#include "samplers/exchange/query_blocks.h"
#include "samplers/pass/listed_pass.h"

namespace negatron {
namespace {

/// [b, L, d] and [b, d] -> [b, L]
at::Tensor scores_of(const at::Tensor& rows, const at::Tensor& queries) {
  return rows.bmm(queries.unsqueeze(2)).squeeze(2);
}

}  // namespace

MixResult run_mixes(const MixRecipe& plan, const Rows& rows, const MixLists& lists, const at::Tensor& queries,
                    const std::vector<ScoreTerm>& terms, bool want_max) {
  MixResult result;
  result.score_sum = at::zeros({queries.size(0)}, queries.options());
  const auto make = [&](Range block) {
    const auto part = [block](const at::Tensor& all) { return all.narrow(0, block.begin, block.size()); };
    const auto listed = [&](const at::Tensor& list) { return gather_rows(rows, part(list), queries.scalar_type()); };
    const at::Tensor own = part(queries);
    const at::Tensor first = listed(lists.first);
    const at::Tensor second = listed(lists.second);
    const at::Tensor partner = listed(lists.partner);
    const ListedVectors pairs =
        mix_pairs(first, second, scores_of(first, own), scores_of(second, own), part(lists.alpha));
    const ListedVectors with_query =
        mix_with_query(own, partner, scores_of(partner, own), part(lists.beta), plan.attached);
    ListedVectors mixes;
    mixes.scores = at::cat({pairs.scores, with_query.scores}, 1);
    mixes.gradients = at::cat({pairs.gradients, with_query.gradients}, 1);
    mixes.present = at::cat({part(lists.first), part(lists.partner)}, 1) >= 0;
    part(result.score_sum).copy_(mixes.scores.masked_fill(mixes.present.logical_not(), 0.0).sum(1));
    return mixes;
  };
  result.scores = run_listed_in_blocks(queries, terms, want_max, lists.first.size(1) + lists.partner.size(1), make);
  return result;
}

}  // namespace negatron
