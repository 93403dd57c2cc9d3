#include "tests/reference/plain_negatives.h"

#include <algorithm>

#include "tests/reference/plain_pass.h"
#include "tests/reference/plain_query.h"

namespace negatron::testing {
namespace {

at::Tensor chosen_only(const std::vector<bool>& chosen) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) places.push_back(static_cast<std::int64_t>(i));
  }
  return at::tensor(places, at::kLong);
}

void score(const PlainMet& met, const at::Tensor& query, const std::vector<ScoreTerm>& terms, std::int64_t place,
           PassResult& result) {
  result.count[place].fill_(static_cast<std::int64_t>(met.vectors.size()));
  if (met.vectors.empty()) return;
  const at::Tensor vectors = at::stack(met.vectors);
  const at::Tensor bias = at::tensor(met.bias, at::kDouble);
  result.max[place].copy_(vectors.mv(query).max());
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const at::Tensor own =
        chosen_only(terms[t].rows == TermRows::kPositives ? met.positive : std::vector<bool>(met.vectors.size(), true));
    if (own.size(0) == 0) continue;
    const TermResult one = plain_term(terms[t], query, vectors.index_select(0, own), bias.index_select(0, own), place);
    result.terms[t].value[place].copy_(one.value);
    if (one.gradient.defined()) result.terms[t].gradient[place].copy_(one.gradient);
    if (one.slope.defined()) result.terms[t].slope[place].copy_(one.slope);
    if (one.log_weight.defined()) result.terms[t].log_weight[place].copy_(one.log_weight);
  }
}

}  // namespace

NegativeResult plain_negatives(const PlainBank& bank, const QueryBatch& batch, const NegativeRequest& request,
                               const std::vector<ScoreTerm>& terms) {
  Candidates all;
  all.queries = batch.queries.to(at::kDouble);
  if (batch.keys.defined()) all.keys = batch.keys.to(at::kDouble);
  const std::int64_t queries = all.queries.size(0);
  all.query_index = at::arange(batch.shares.first, batch.shares.first + queries, at::kLong);
  const PlainCandidates candidates(bank.rows, all);

  PassRequest empty;
  empty.candidates.queries = all.queries;
  empty.terms = terms;
  empty.want_max = true;
  at::Tensor centroids;
  if (request.mixes && request.mixes->clusters > 0) {
    centroids = plain_centroids(bank, request.mixes->clusters, request.mixes->seed, batch.step);
  }
  NegativeResult result;
  result.scores = empty_result(empty);
  result.bank_max = result.scores.max.clone();
  const std::int64_t hardest =
      request.report_hardest > 0 ? request.report_hardest : (request.mixes ? request.mixes->hard : 0);
  result.hardest = at::full({queries, hardest}, kAfterAllKeys, at::kLong);
  result.mix_count = at::zeros({queries}, at::kLong);
  result.tried = at::zeros({queries}, at::kLong);
  if (request.kept) {
    result.kept = at::full({queries, std::min(request.kept->draws, request.kept->listed())}, -1, at::kLong);
  }
  result.mix_score_sum = at::zeros({queries}, at::kDouble);
  for (std::int64_t i = 0; i < queries; ++i) {
    const PlainQuery query(bank, batch, request, candidates, i);
    PlainMet met = query.meet_sets();
    for (const NegativeSet& set : request.sets) {
      if (set.draws_as_listed && set.lists == 1) result.tried[i].fill_(query.tried(set));
    }
    if (request.kept) result.kept[i].copy_(at::tensor(query.kept(*request.kept), at::kLong));
    if (!met.vectors.empty()) result.bank_max[i].copy_(at::stack(met.vectors).mv(all.queries[i]).max());
    const PlainQuery::Indices hard = query.hardest();
    for (std::int64_t n = 0; n < std::min(hardest, static_cast<std::int64_t>(hard.size())); ++n) {
      result.hardest[i][n].fill_(query.key_of(hard[static_cast<std::size_t>(n)]));
    }
    for (std::int64_t n = 0; request.vectors.defined() && n < request.vectors.size(1); ++n) {
      met.add(request.vectors[i][n].to(at::kDouble));
    }
    if (request.mixes) {
      for (const at::Tensor& mix : query.mixes(centroids)) {
        result.mix_count[i].add_(1);
        result.mix_score_sum[i].add_(mix.dot(all.queries[i]));
        met.add(mix);
      }
    }
    score(met, all.queries[i], terms, i, result.scores);
  }
  return result;
}

}  // namespace negatron::testing
