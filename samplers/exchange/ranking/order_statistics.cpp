#include "samplers/exchange/ranking/order_statistics.h"

#include "samplers/exchange/ranking/padded_keys.h"

namespace negatron {
namespace {

constexpr std::int64_t kDigitBits = 8;
constexpr std::int64_t kDigits = 256;
constexpr int kLevels = 8;

/// What is known of each wanted key. Everything here is equal on all ranks.
struct Search {
  at::Tensor prefix;     // [Q, T] the key with its determined digits, the others 0
  at::Tensor remaining;  // [Q, T] the wanted rank among the keys with this prefix
  at::Tensor in_bucket;  // [Q, T] how many keys have this prefix
  at::Tensor missing;    // [Q, T] bool: there is no such key
};

/// Fixes the next digit of each wanted key. histogram [Q, T, 256] over all shards.
void descend(Search& search, const at::Tensor& histogram, int level) {
  const at::Tensor up_to = histogram.to(at::kLong).cumsum(2);  // [Q, T, 256] keys with this digit or a better one
  if (level == 0) search.missing = search.remaining >= up_to.select(2, kDigits - 1);
  const at::Tensor digit = (up_to <= search.remaining.unsqueeze(2)).sum(2).clamp_max_(kDigits - 1);  // [Q, T]
  const at::Tensor last = up_to.gather(2, digit.unsqueeze(2)).squeeze(2);
  search.in_bucket = histogram.to(at::kLong).gather(2, digit.unsqueeze(2)).squeeze(2);
  search.remaining = search.remaining - (last - search.in_bucket);
  search.prefix = search.prefix + digit.bitwise_left_shift((kLevels - 1 - level) * kDigitBits);
}

/// This shard's keys inside each bucket: [Q, T, most], kAfterAllKeys where it has fewer. `shift` bits are open.
at::Tensor bucket_keys(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                       const Search& search, std::int64_t shift, std::int64_t most) {
  std::vector<at::Tensor> of_rank;
  for (std::int64_t t = 0; t < search.prefix.size(1); ++t) {
    const at::Tensor first = search.prefix.select(1, t).contiguous();
    const at::Tensor end = first + (std::int64_t{1} << shift);
    // The last bucket of all ends where integers do.
    const at::Tensor last =
        end.masked_fill(end < first, kAfterAllKeys).masked_fill(search.missing.select(1, t), kBeforeAllKeys);
    of_rank.push_back(padded_keys(keys_between(rows, candidates, order, first, last), most));
  }
  return at::stack(of_rank, 1).contiguous();
}

}  // namespace

// Radix select over all shards. A selection key has eight digits of 8 bits. For each query and each wanted rank,
// every rank of the group knows the same four things, in `Search`:
//   prefix      the digits of the wanted key that are fixed, the others 0
//   in_bucket   how many keys of all shards begin with these digits: the bucket
//   remaining   the wanted rank, counted inside the bucket
//   missing     that there are no more keys than the rank
// A round fixes one more digit: each shard counts which next digits its keys of the bucket have, the counts are
// summed over ranks, and the digit is the one in which `remaining` falls. When no bucket holds more than
// kGatheredKeys keys, their keys are gathered and sorted instead. Nothing depends on scores being different: keys
// hold the slot.
//
// Example with two decimal digits, wanted rank 2. Shard 0 holds 17 23 25, shard 1 holds 21 28 40.
//   round 1   digit 1: 1 key, 2: 4 keys, 4: 1 key. Up to and with digit 1 there is 1 key, with digit 2 there are 5, so
//             the prefix becomes 2_, in_bucket 4, remaining 2 - 1 = 1.
//   round 2   of 2_, digit 1: 1 key, 3: 1, 5: 1, 8: 1. Remaining 1 falls on digit 3: the key is 23.
// In order 17 21 23 25 28 40, and rank 2 is 23. If buckets of 4 keys were few enough, round 2 would gather 21 23 25
// 28 and take the one at place 1. See samplers/exchange/EXCHANGE.md 3.
at::Tensor keys_at_ranks(Communicator& comm, const Rows& rows, const Candidates& candidates,
                         const SelectionOrder& order, const std::vector<std::int64_t>& ranks) {
  const std::int64_t queries = candidates.queries.size(0);
  const auto wanted = static_cast<std::int64_t>(ranks.size());
  const at::TensorOptions whole = candidates.queries.options().dtype(at::kLong);
  Search search;
  search.prefix = at::full({queries, wanted}, kBeforeAllKeys, whole);
  if (queries == 0 || wanted == 0) return search.prefix;
  search.remaining = at::tensor(ranks, at::kLong).to(whole.device()).unsqueeze(0).expand({queries, wanted});

  for (int level = 0; level < kLevels; ++level) {
    const at::Tensor histogram = digit_histogram(rows, candidates, order, search.prefix, level).contiguous();
    comm.all_reduce(histogram, ReduceOp::kSum);
    descend(search, histogram, level);
    const auto most = search.in_bucket.masked_fill(search.missing, 0).max().item<std::int64_t>();
    if (most > kGatheredKeys) continue;
    // Nothing to gather where no such key exists, or where all digits are fixed: then the prefix is the key.
    if (most == 0 || level == kLevels - 1) break;
    const std::int64_t shift = (kLevels - 1 - level) * kDigitBits;
    // Few keys are left of every bucket: their union, sorted, gives the wanted ones without further rounds.
    const at::Tensor own = bucket_keys(rows, candidates, order, search, shift, most);
    const at::Tensor all = comm.all_gather(own).view({comm.size(), queries, wanted, most});
    const at::Tensor sorted = std::get<0>(all.permute({1, 2, 0, 3}).flatten(2).sort(2));  // [Q, T, P most]
    const at::Tensor place = search.remaining.clamp_max(most - 1).masked_fill(search.missing, 0);
    search.prefix = sorted.gather(2, place.unsqueeze(2)).squeeze(2);
    break;
  }
  return search.prefix.masked_fill(search.missing, kAfterAllKeys);
}

}  // namespace negatron
