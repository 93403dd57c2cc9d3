#include "samplers/exchange/bank_stage.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <ATen/core/grad_mode.h>

#include "samplers/exchange/bank_exchange.h"
#include "samplers/exchange/check_request.h"
#include "samplers/exchange/mixes/fetched_mixes.h"
#include "samplers/exchange/mixes/local_mixes.h"
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

bool mixes_from_pools(const NegativeRequest& request) {
  return request.mixes && !request.mixes->pools.empty();
}

/// N of the hardest rows of the whole bank that are searched for, 0 for none.
std::int64_t searched_hardest(const NegativeRequest& request) {
  const std::int64_t mixed_from = request.mixes && !mixes_from_pools(request) ? request.mixes->hard : 0;
  return std::max(request.report_hardest, mixed_from);
}

PartialFormat format_of(const QueryBatch& batch, const NegativeRequest& request, const std::vector<ScoreTerm>& terms) {
  return {terms, batch.queries.size(1), mixes_on_shards(request) ? kMixColumns : 0, batch.queries.scalar_type()};
}

/// Sums over negatives become means that are weighted by their own softmax, where the request says so: further
/// positives are not what self-adversarial weights are about.
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

}  // namespace

BankStage::BankStage(BankExchange& exchange, Communicator& group, const Bank& bank, QueryBatch batch,
                     NegativeRequest request, std::vector<ScoreTerm> terms)
    : exchange_(exchange),
      group_(group),
      bank_(bank),
      batch_(std::move(batch)),
      request_(std::move(request)),
      terms_(std::move(terms)) {
  check_request(group_, bank_, batch_, request_, terms_);
  batch_.queries = batch_.queries.detach();
  terms_ = weighted_terms(request_, std::move(terms_));
}

std::int64_t BankStage::partial_elements(const QueryBatch& batch, const NegativeRequest& request,
                                         const std::vector<ScoreTerm>& terms) {
  return format_of(batch, request, weighted_terms(request, terms)).elements();
}

void BankStage::send() {
  const at::NoGradGuard no_grad;
  const QueryMessages own = pack_queries(batch_, request_, terms_);
  vectors_ = group_.start_all_gather(own.vectors, batch_.shares.sizes);
  if (own.numbers.defined()) numbers_ = group_.start_all_gather(own.numbers, batch_.shares.sizes);
}

void BankStage::gather() {
  if (gathered_here_) return;
  QueryMessages all{vectors_->wait(), {}};
  if (numbers_) all.numbers = numbers_->wait();
  gathered_ = unpack_queries(all, batch_, request_, terms_);
  all_terms_ = with_offsets(terms_, gathered_.query_offset);
  shard_ = shard_candidates(bank_, batch_, request_, gathered_);
  gathered_here_ = true;
}

std::int64_t BankStage::list_length() const {
  const std::int64_t hardest = searched_hardest(request_);
  return hardest > 0 ? exchange_.hard_set_search().next_list_length(hardest, group_.size()) : 0;
}

void BankStage::score_beside() {
  SideThread* side = exchange_.side_thread();
  if (side == nullptr || !bank_.shard().rows.vectors.is_cpu() || !ShardScores::is_one_pass(request_)) return;
  const at::NoGradGuard no_grad;
  gather();
  // The work holds its own rows and candidates: the stage may move before it ends, the exchange does not.
  scores_ =
      side->start([&pass = exchange_.pass(), rows = shard_.rows,
                   request = ShardScores(bank_, request_, gathered_, shard_, all_terms_).one_pass(list_length())] {
        const at::NoGradGuard no_grad_there;
        return pass.run(rows, request);
      });
}

// The stage from the moment when the queries are at the shards, or on their way. Words: the *partial* of this rank is
// what all Q queries of the group met on this shard, [Q] numbers and [Q, d] vectors per term. The *record* of a query
// is its part of a partial as one row of a message. The *owner* of a query is the rank that asked.
//
//   1  partials_       the windows of the sets and passes over the shard, or the one that ran beside the caller's
//                      thread; it finds best rows too
//   2  hard sets       where hardest rows are reported or mixed from: the N best of own queries over all shards
//   3  pools           mixing from several pools takes a hard set of each, and their union
//   4  clusters        pseudo-labels keep up with the bank, where mixes ask for them
//   5  mixes on shards each shard makes those whose rows it holds and merges them into its partial. Their maximum
//                      travels beside it: that over bank rows must not see them
//   6  partials        each rank sends every other the records of its queries, and merges P records for each own query
//   7  at the owner    vectors of the sampler's own, and mixes of fetched rows, merge into the result
//
// All ranks take these steps in this order, and which of them happen follows from the request alone.
//
// Example: 3 ranks, 4 queries each, d = 128, fp32, InfoNCE. The partial is [12, 132]: 128 of the weighted row sum,
// the log-sum-exp, the largest score, and 2 that hold the count. Rank 1 sends rows 0 to 3 to rank 0 and 8 to 11 to
// rank 2, receives 2 * 4 records of 528 bytes, and merges three records for each of the queries 4 to 7. See
// EXCHANGE.md 1.
NegativeResult BankStage::finish() {
  const at::NoGradGuard no_grad;
  gather();
  ShardScores shard(bank_, request_, gathered_, shard_, all_terms_);
  if (scores_.valid()) {
    partials_.result = scores_.get();
    if (request_.keeps_met) result_.met.sets = {shard.met_in_one_pass()};
  } else {
    partials_.result = shard.run(group_, exchange_.hard_set_search(), exchange_.pass(), list_length());
    result_.met.sets = shard.take_met();
    result_.tried = shard.tried();
  }
  result_.kept = shard.choose_kept(group_);
  result_.met.shares = batch_.shares;
  find_hardest();
  find_hardest_of_pools();
  follow_clusters();
  mix_on_shard();
  return_to_owners();
  score_vectors();
  mix_at_owner();
  return std::move(result_);
}

/// One search serves the report and the mixes: the shorter list is the beginning of the longer one.
void BankStage::find_hardest() {
  const std::int64_t hardest = searched_hardest(request_);
  if (hardest == 0) return;
  hard_sets_ = exchange_.hard_set_search().find(group_, shard_, SelectionOrder{}, hardest, partials_.result.best);
  const std::int64_t reported = request_.report_hardest > 0 ? request_.report_hardest : hardest;
  result_.hardest = hard_sets_.keys.narrow(1, 0, reported).contiguous();
}

/// Pools are disjoint, so a search in each of them finds the members of one hard set, which takes the place of that of
/// the whole bank. Their keys are sorted because mixes name positions in it, best first.
void BankStage::find_hardest_of_pools() {
  if (!mixes_from_pools(request_)) return;
  hard_sets_ = {};
  std::vector<at::Tensor> keys;
  for (const HardPool& pool : request_.mixes->pools) {
    const ShardCandidates pooled = candidates_of_pool(shard_, pool.rows);
    const HardSets found = exchange_.hard_set_search().find(group_, pooled, SelectionOrder{}, pool.hard);
    keys.push_back(found.keys);
    hard_sets_.count = hard_sets_.count.defined() ? hard_sets_.count + found.count : found.count;
    hard_sets_.shard_keys = found.shard_keys;
  }
  hard_sets_.keys = std::get<0>(at::cat(keys, 1).sort(1));
}

/// Pseudo-labels must be those of this step's bank before mixes look at them.
void BankStage::follow_clusters() {
  if (!request_.mixes || request_.mixes->clusters == 0) return;
  exchange_.clusters().follow(group_, bank_, request_.mixes->clusters, request_.mixes->seed, batch_.step);
}

/// Mixes of rows that lie on this shard join its partials, so that no row travels. Their maximum goes beside that of
/// the rows, which tells how hard real negatives are.
void BankStage::mix_on_shard() {
  if (!mixes_on_shards(request_)) return;
  const MixQueries queries{gathered_.queries, gathered_.query_index, all_terms_};
  const MixResult mixes = run_local_mixes(group_, bank_, *request_.mixes, queries, hard_sets_, batch_.shares);
  const at::Tensor bank_max = partials_.result.max;
  partials_.result = merge(all_terms_, partials_.result, mixes.scores);
  partials_.result.max = bank_max;
  partials_.further = at::stack({mixes.score_sum, mixes.scores.max}, 1);
  result_.mix_count = mixes.count;
}

/// All of a query's partials in one message of each shard, merged in rank order whatever order they came in: sums are
/// bit for bit the same on every run.
void BankStage::return_to_owners() {
  const PartialFormat format = format_of(batch_, request_, terms_);
  const std::vector<std::int64_t>& sizes = batch_.shares.sizes;
  const std::vector<std::int64_t> own(sizes.size(), batch_.shares.size(group_.rank()));
  const at::Tensor records = group_.all_to_all(pack_partials(partials_, format), sizes, own);  // [P b, elements]
  const PartialRecords merged = merge_ranks(records, group_.size(), format);
  result_.scores = merged.result;
  result_.bank_max = merged.result.max;
  if (!mixes_on_shards(request_)) return;
  result_.mix_score_sum = merged.further.select(1, 0).contiguous();
  result_.scores.max = at::maximum(result_.bank_max, merged.further.select(1, 1));
}

/// The sampler's own vectors are the owner's alone: entries of a listed pass after the merge.
void BankStage::score_vectors() {
  if (!request_.vectors.defined() || request_.vectors.size(1) == 0) return;
  ListedVectors listed;
  listed.gradients = request_.vectors.detach().to(batch_.queries.options());
  listed.scores = listed.gradients.bmm(batch_.queries.unsqueeze(2)).squeeze(2);
  listed.present = at::ones_like(listed.scores, listed.scores.options().dtype(at::kBool));
  result_.scores = merge(terms_, result_.scores, run_listed(batch_.queries, listed, terms_, true));
}

/// Mixes of any two members of a hard set: the owner fetches the rows, which may lie on any shard.
void BankStage::mix_at_owner() {
  if (!request_.mixes || mixes_on_shards(request_)) return;
  const std::int64_t begin = batch_.shares.begin(group_.rank());
  const MixQueries queries{batch_.queries, at::arange(begin, begin + batch_.queries.size(0), at::kLong), terms_};
  const MixResult mixes =
      run_fetched_mixes(group_, bank_, *request_.mixes, queries, hard_sets_.keys, exchange_.clusters());
  result_.scores = merge(terms_, result_.scores, mixes.scores);
  result_.mix_count = mixes.count;
  result_.mix_score_sum = mixes.score_sum;
}

}  // namespace negatron
