#include "runtime/planning/exchange_calls.h"

#include <algorithm>
#include <cmath>

#include "comm/share.h"
#include "runtime/training/gradient_reducer.h"
#include "samplers/contrast/rows_loss.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/pass/score_shares.h"

namespace negatron {
namespace {

/// Queries and partials travel in fp32, ids, keys and counts in int64.
constexpr std::int64_t kQueryBytes = 4;
constexpr std::int64_t kNumberBytes = 8;

/// The part of a step that one rank of a group has.
struct GroupShare {
  std::int64_t own = 0;
  std::int64_t others = 0;
  std::int64_t other_ranks = 0;
};

GroupShare share_of_group(const PlannedJob& job, std::int64_t rank) {
  const std::int64_t own = share(job.global_batch, static_cast<int>(job.ranks), static_cast<int>(rank)).size();
  return {own, group_queries(job, rank) - own, job.shards - 1};
}

/// A row of `bytes` of each own query to all others.
PlannedCall gather(const char* purpose, const GroupShare& share, std::int64_t bytes) {
  return {purpose, Collective::kAllGather, share.other_ranks + 1, share.other_ranks * share.own * bytes,
          share.others * bytes};
}

/// From every rank a row of `bytes` for each own query.
PlannedCall return_to_owners(const char* purpose, const GroupShare& share, std::int64_t bytes) {
  return {purpose, Collective::kAllToAll, share.other_ranks + 1, share.others * bytes,
          share.other_ranks * share.own * bytes};
}

PlannedCall reduce(const char* purpose, std::int64_t elements, std::int64_t element_bytes, std::int64_t ranks,
                   std::int64_t rank) {
  const std::int64_t own = share(elements, static_cast<int>(ranks), static_cast<int>(rank)).size();
  // Every other rank's share goes out, and the own share comes back reduced to the other ranks. Example: 12 elements
  // over 4 ranks, 3 each: 9 go to their owners and 3 * 3 copies of the own result to the others, 18 in all.
  const std::int64_t moved = (elements - own + (ranks - 1) * own) * element_bytes;
  return {purpose, Collective::kAllReduce, ranks, moved, moved};
}

std::int64_t overlap(const Range& left, const Range& right) {
  return std::max<std::int64_t>(0, std::min(left.end, right.end) - std::max(left.begin, right.begin));
}

}  // namespace

std::int64_t group_queries(const PlannedJob& job, std::int64_t rank) {
  const std::int64_t first = rank / job.shards * job.shards;
  const auto ranks = static_cast<int>(job.ranks);
  return share(job.global_batch, ranks, static_cast<int>(first + job.shards - 1)).end -
         share(job.global_batch, ranks, static_cast<int>(first)).begin;
}

std::int64_t list_length(const PlannedJob& job) {
  return HardSetSearch::list_length(job.hard, static_cast<int>(job.shards), HardSetSearch::kFallbackRate);
}

bool expects_further_round(const PlannedJob& job) {
  return list_length(job) < job.hard &&
         static_cast<double>(group_queries(job, 0)) * HardSetSearch::kFallbackRate >= 1.0;
}

std::vector<PlannedCall> exchange_calls(const PlannedJob& job, std::int64_t rank, bool further_round) {
  const GroupShare share = share_of_group(job, rank);
  std::vector<PlannedCall> calls{gather("queries to shards", share, job.width * kQueryBytes)};
  // Where rows are positives the ids of the batch are there already, for them.
  const bool ids_travel = job.has_kind(BankKind::kQueue) || job.has_kind(BankKind::kIndex);
  if (job.sample_ids && ids_travel) calls.push_back(gather("sample ids to shards", share, kNumberBytes));

  if (job.hard > 0) {
    const std::int64_t length = list_length(job);
    calls.push_back(return_to_owners("hardest rows to owners", share, length * kNumberBytes));
    if (length < job.hard) calls.push_back(reduce("further round?", 1, kNumberBytes, job.shards, rank % job.shards));
    if (length < job.hard && further_round) {
      calls.push_back(gather("bounds to shards", share, kNumberBytes));
      calls.push_back(return_to_owners("numbers of missing rows", share, kNumberBytes));
      calls.push_back({"missing rows to owners", Collective::kAllToAll, job.shards, 0, 0});
    }
  }

  QueryBatch batch;
  batch.queries = at::empty({0, job.width}, at::kFloat);
  std::vector<ScoreTerm> terms{ScoreTerm{}};
  if (job.has_kind(BankKind::kLearned)) terms.push_back(rows_term(1.0));
  const std::int64_t elements = BankStage::partial_elements(batch, {}, terms);
  calls.push_back(return_to_owners("partials to owners", share, elements * kQueryBytes));
  if (rows_learn(job.bank_kind)) {
    calls.push_back(gather("query numbers to rows", share, kShareNumbers * kQueryBytes));
  }
  return calls;
}

// Example: 8 samples on 4 ranks that share one bank, of which rank 0 owns a quarter. Of its 2 own samples 1.5 rows come
// from elsewhere; of the 6 samples of others 1.5 rows are asked of it, whose queries or gradients come back.
std::vector<PlannedCall> sample_row_calls(const PlannedJob& job, std::int64_t rank) {
  if (!rows_are_positives(job.bank_kind)) return {};
  const std::int64_t own = share(job.global_batch, static_cast<int>(job.ranks), static_cast<int>(rank)).size();
  const std::int64_t others = job.global_batch - own;
  const std::int64_t near = group_queries(job, rank) - own;
  const std::int64_t row = job.width * static_cast<std::int64_t>(at::elementSize(job.bank_dtype));
  const auto all_to_all = [&](const char* purpose, std::int64_t ranks, double sent, double received,
                              std::int64_t bytes) {
    const auto of_rows = [&](double rows) { return std::llround(rows * static_cast<double>(bytes)); };
    return PlannedCall{purpose, Collective::kAllToAll, ranks, of_rows(sent), of_rows(received)};
  };
  const auto part = [&](std::int64_t rows) { return static_cast<double>(rows) / static_cast<double>(job.shards); };
  const auto copies = static_cast<double>(job.ranks / job.shards);
  const double given = static_cast<double>(own) * copies - part(own);
  std::vector<PlannedCall> calls;
  if (job.ranks > 1) {
    calls.push_back({"ids of the batch", Collective::kAllGather, job.ranks, (job.ranks - 1) * own * kNumberBytes,
                     others * kNumberBytes});
  }
  calls.push_back(all_to_all("rows of own samples", job.shards, part(near), static_cast<double>(own) - part(own), row));
  if (job.has_kind(BankKind::kParametric)) {
    calls.push_back(all_to_all("gradients to their rows", job.ranks, given, part(others), job.width * kQueryBytes));
    return calls;
  }
  calls.push_back(all_to_all("queries to their rows", job.ranks, given, part(others), job.width * kQueryBytes));
  calls.push_back(all_to_all("labels to their rows", job.ranks, given, part(others), kNumberBytes));
  return calls;
}

std::vector<PlannedCall> enqueue_calls(const PlannedJob& job, std::int64_t rank) {
  if (job.shards == job.ranks || rows_stay(job.bank_kind)) return {};
  const auto ranks = static_cast<int>(job.ranks);
  const auto shards = static_cast<int>(job.shards);
  const Range own = share(job.global_batch, ranks, static_cast<int>(rank));
  const Range shard = share(job.global_batch, shards, static_cast<int>(rank) % shards);
  // Each key goes to one rank of every copy, this rank among them where it is its own, and as many neighbours as there
  // are copies fill a shard.
  const std::int64_t kept = overlap(own, shard);
  const std::int64_t copies = job.ranks / job.shards;
  // Example: a batch of 8 over 4 ranks in 2 copies of 2 shards. Rank 0 has keys 0 and 1 and holds keys 0 to 3 of its
  // copy: it keeps 2, sends 2 * 2 - 2 = 2 to the other copy and receives 4 - 2 = 2.
  const std::int64_t sent = copies * own.size() - kept;
  const std::int64_t received = shard.size() - kept;
  const auto call = [&](const char* purpose, std::int64_t bytes) {
    return PlannedCall{purpose, Collective::kAllToAll, copies, sent * bytes, received * bytes};
  };
  return {call("keys to all copies", job.width * kQueryBytes), call("ids and labels of keys", 2 * kNumberBytes)};
}

std::vector<PlannedCall> gradient_calls(const PlannedJob& job, std::int64_t rank) {
  std::vector<PlannedCall> calls;
  if (job.ranks == 1) return calls;
  constexpr std::int64_t kElementBytes = 4;
  const auto all = static_cast<std::int64_t>(std::llround(job.gradient_bytes));
  for (std::int64_t done = 0; done < all; done += GradientReducer::kBucketBytes) {
    const std::int64_t bytes = std::min(GradientReducer::kBucketBytes, all - done);
    calls.push_back(reduce("gradients", bytes / kElementBytes, kElementBytes, job.ranks, rank));
  }
  return calls;
}

}  // namespace negatron
