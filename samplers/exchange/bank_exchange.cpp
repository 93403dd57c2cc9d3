#include "samplers/exchange/bank_exchange.h"

#include <algorithm>
#include <utility>

#include "samplers/exchange/check_request.h"
#include "samplers/exchange/mixes/fetched_mixes.h"
#include "samplers/exchange/mixes/local_mixes.h"
#include "samplers/exchange/partial_record.h"
#include "samplers/exchange/ranking/row_pool.h"
#include "samplers/exchange/shard_scores.h"
#include "samplers/pass/listed_pass.h"
#include "samplers/pass/reduction_tree.h"

namespace negatron {
namespace {

/// Of mixes that shards made: the sum of their scores, and their maximum, which must not meet that of bank rows.
constexpr std::int64_t kMixColumns = 2;

bool mixes_on_shards(const NegativeRequest& request) {
  return request.mixes && request.mixes->mode == MixRecipe::Mode::kNoFetch;
}

PartialFormat format_of(const QueryBatch& batch, const NegativeRequest& request, const std::vector<ScoreTerm>& terms,
                        bool want_max) {
  return {terms, batch.queries.size(1), want_max, mixes_on_shards(request) ? kMixColumns : 0,
          batch.queries.scalar_type()};
}

/// The terms that are computed: further positives are not what self-adversarial weights are about.
std::vector<ScoreTerm> weighted_terms(const NegativeRequest& request, std::vector<ScoreTerm> terms) {
  if (!request.self_adversarial_scale) return terms;
  for (ScoreTerm& term : terms) {
    if (term.reduction != Reduction::kSum || term.rows != TermRows::kCandidates) continue;
    term.reduction = Reduction::kSoftmaxMean;
    term.weight_scale = *request.self_adversarial_scale;
  }
  return terms;
}

std::vector<ScoreTerm> with_offsets(std::vector<ScoreTerm> terms, const std::vector<at::Tensor>& offsets) {
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i].query_offset = offsets[i];
  return terms;
}

/// Merges the ranks' partials for b queries, records [P * b, elements] in rank order.
PartialRecords merge_ranks(const at::Tensor& records, int ranks, const PartialFormat& format) {
  PartialRecords merged;
  ReductionTree tree(format.terms);
  int rank = 0;
  for (const at::Tensor& block : records.chunk(ranks)) {
    PartialRecords partial = unpack_partials(block, format);
    if (format.further > 0) {
      const at::Tensor sum = rank == 0 ? partial.further : merged.further + partial.further;
      const at::Tensor largest = rank == 0 ? partial.further : at::maximum(merged.further, partial.further);
      merged.further = at::stack({sum.select(1, 0), largest.select(1, 1)}, 1);
    }
    tree.push(rank++, std::move(partial.result));
  }
  merged.result = *tree.finish();
  return merged;
}

/// The hard sets of disjoint pools as one.
HardSets hardest_of_pools(Communicator& comm, HardSetSearch& search, const Rows& rows, const Candidates& candidates,
                          const QueryShares& shares, const std::vector<HardPool>& pools) {
  HardSets all;
  std::vector<at::Tensor> keys;
  for (const HardPool& pool : pools) {
    const PooledRows pooled = rows_of_pool(rows, candidates, pool.rows);
    const HardSets found = search.find(comm, pooled.rows, pooled.candidates, SelectionOrder{}, shares, pool.hard);
    keys.push_back(found.keys);
    all.count = all.count.defined() ? all.count + found.count : found.count;
    all.shard_keys = found.shard_keys;
  }
  all.keys = std::get<0>(at::cat(keys, 1).sort(1));
  return all;
}

/// The sampler's own vectors as entries of a listed pass.
PassResult score_vectors(const at::Tensor& queries, const at::Tensor& vectors, const std::vector<ScoreTerm>& terms,
                         bool want_max) {
  ListedVectors listed;
  listed.gradients = vectors.detach().to(queries.options());
  listed.scores = listed.gradients.bmm(queries.unsqueeze(2)).squeeze(2);
  listed.present = at::ones_like(listed.scores, listed.scores.options().dtype(at::kBool));
  return run_listed(queries, listed, terms, want_max);
}

/// Brings the queries to this shard, if they are not there, and finds what they may meet.
void gather(const Bank& bank, StartedExchange& started) {
  if (!started.pending) return;
  started.gathered = finish_gather(std::move(*started.pending), started.batch, started.request, started.terms);
  started.pending.reset();
  started.all_terms = with_offsets(started.terms, started.gathered.query_offset);
  started.rows = rows_to_score(bank, started.request, started.batch.step);
  started.candidates = candidates_of(bank, started.rows, started.request, started.gathered);
}

bool mixes_from_pools(const NegativeRequest& request) {
  return request.mixes && !request.mixes->pools.empty();
}

/// N of the hardest rows of the whole bank that are searched for, 0 for none.
std::int64_t searched_hardest(const NegativeRequest& request) {
  const std::int64_t mixed_from = request.mixes && !mixes_from_pools(request) ? request.mixes->hard : 0;
  return std::max(request.report_hardest, mixed_from);
}

}  // namespace

std::int64_t BankExchange::list_length(const Communicator& comm, const NegativeRequest& request) const {
  const std::int64_t hardest = searched_hardest(request);
  return hardest > 0 ? search_.next_list_length(hardest, comm.size()) : 0;
}

std::int64_t BankExchange::partial_elements(const QueryBatch& batch, const NegativeRequest& request,
                                            const std::vector<ScoreTerm>& terms, bool want_max) {
  return format_of(batch, request, weighted_terms(request, terms), want_max).elements();
}

NegativeResult BankExchange::run(Communicator& comm, const Bank& bank, const QueryBatch& batch,
                                 const NegativeRequest& request, const std::vector<ScoreTerm>& terms, bool want_max) {
  return finish(comm, bank, start(comm, bank, batch, request, terms, want_max));
}

StartedExchange BankExchange::start(Communicator& comm, const Bank& bank, const QueryBatch& batch,
                                    const NegativeRequest& request, const std::vector<ScoreTerm>& terms,
                                    bool want_max) const {
  const at::NoGradGuard no_grad;
  check_request(comm, bank, batch, request, terms);
  StartedExchange started;
  started.batch = batch;
  started.batch.queries = batch.queries.detach();
  started.request = request;
  started.terms = weighted_terms(request, terms);
  started.want_max = want_max;
  started.pending = start_gather(comm, started.batch, request, started.terms);
  return started;
}

void BankExchange::score_beside(Communicator& comm, const Bank& bank, StartedExchange& started) {
  if (side_ == nullptr || !bank.shard().rows.vectors.is_cpu() || !is_one_pass(started.request)) return;
  gather(bank, started);
  const std::int64_t best = list_length(comm, started.request);
  started.scores = side_->start(
      [this, rows = started.rows,
       pass = one_pass(started.rows, started.candidates, started.request, started.all_terms, started.want_max, best)] {
        const at::NoGradGuard no_grad;
        return pass_.run(rows, pass);
      });
}

NegativeResult BankExchange::finish(Communicator& comm, const Bank& bank, StartedExchange started) {
  const at::NoGradGuard no_grad;
  gather(bank, started);
  const NegativeRequest& request = started.request;
  const QueryShares& shares = started.batch.shares;
  const at::Tensor& queries = started.batch.queries;
  const std::vector<ScoreTerm>& own_terms = started.terms;
  const std::vector<ScoreTerm>& all_terms = started.all_terms;
  const GatheredQueries& gathered = started.gathered;
  const Rows& rows = started.rows;
  const Candidates& candidates = started.candidates;
  const bool want_max = started.want_max;
  const bool pooled = mixes_from_pools(request);
  const std::int64_t hardest = searched_hardest(request);
  PartialRecords shard;
  shard.result = started.scores.valid() ? started.scores.get()
                                        : score_sets(comm, search_, pass_, bank, rows, candidates, request, gathered,
                                                     shares, all_terms, want_max, list_length(comm, request));

  NegativeResult result;
  HardSets hard_sets;
  if (hardest > 0) {
    hard_sets = search_.find(comm, rows, candidates, SelectionOrder{}, shares, hardest, shard.result.best);
    const std::int64_t reported = request.report_hardest > 0 ? request.report_hardest : hardest;
    result.hardest = hard_sets.keys.narrow(1, 0, reported).contiguous();
  }
  if (pooled) hard_sets = hardest_of_pools(comm, search_, rows, candidates, shares, request.mixes->pools);
  if (request.mixes && request.mixes->clusters > 0) {
    clusters_.follow(comm, bank, request.mixes->clusters, request.mixes->seed, started.batch.step);
  }
  if (mixes_on_shards(request)) {
    const MixResult mixes = run_local_mixes(comm, bank, *request.mixes, gathered.queries, gathered.query_index,
                                            hard_sets, shares, all_terms, /*want_max=*/true);
    const at::Tensor bank_max = shard.result.max;
    shard.result = merge(all_terms, shard.result, mixes.scores);
    shard.result.max = bank_max;
    shard.further = at::stack({mixes.score_sum, mixes.scores.max}, 1);
    result.mix_count = mixes.count;
  }

  const PartialFormat format = format_of(started.batch, request, own_terms, want_max);
  const std::vector<std::int64_t> own(shares.sizes.size(), shares.size(comm.rank()));
  const at::Tensor records = comm.all_to_all(pack_partials(shard, format), shares.sizes, own);  // [P b, elements]
  const PartialRecords merged = merge_ranks(records, comm.size(), format);
  result.scores = merged.result;
  result.bank_max = merged.result.max;
  if (mixes_on_shards(request)) {
    result.mix_score_sum = merged.further.select(1, 0).contiguous();
    if (want_max) result.scores.max = at::maximum(result.bank_max, merged.further.select(1, 1));
  }

  if (request.vectors.defined() && request.vectors.size(1) > 0) {
    result.scores = merge(own_terms, result.scores, score_vectors(queries, request.vectors, own_terms, want_max));
  }
  if (request.mixes && !mixes_on_shards(request)) {
    const at::Tensor index =
        at::arange(shares.begin(comm.rank()), shares.begin(comm.rank()) + queries.size(0), at::kLong);
    const MixResult mixes =
        run_fetched_mixes(comm, bank, clusters_, *request.mixes, queries, index, hard_sets.keys, own_terms, want_max);
    result.scores = merge(own_terms, result.scores, mixes.scores);
    result.mix_count = mixes.count;
    result.mix_score_sum = mixes.score_sum;
  }
  return result;
}

}  // namespace negatron
