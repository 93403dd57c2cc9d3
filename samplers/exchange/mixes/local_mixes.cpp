#include "samplers/exchange/mixes/local_mixes.h"

#include <algorithm>
#include <map>
#include <set>

#include "samplers/exchange/mixes/fetched_mixes.h"
#include "samplers/exchange/mixes/pair_numbers.h"
#include "samplers/random/philox.h"

namespace negatron {
namespace {

using Counts = std::vector<std::int64_t>;
using Numbers = std::vector<PairNumbers>;  // one for each batch size

/// Sizes of batches with rows in the bank, ascending -> position; equal on all ranks.
std::map<std::int64_t, std::size_t> positions_of_sizes(const BankLayout& layout) {
  std::set<std::int64_t> sizes;
  for (const BankBatch& batch : layout.batches()) sizes.insert(batch.size);
  std::map<std::int64_t, std::size_t> positions;
  for (const std::int64_t size : sizes) positions.emplace(size, positions.size());
  return positions;
}

/// This shard's members of each query's hard set: its keys up to the query's threshold [Q].
std::vector<Numbers> number_members(const Bank& bank, const MixRecipe& recipe, const at::Tensor& shard_keys,
                                    const at::Tensor& thresholds) {
  const std::map<std::int64_t, std::size_t> sizes = positions_of_sizes(bank.layout());
  const at::Tensor member = shard_keys <= thresholds.unsqueeze(1);  // [Q, L]
  const at::Tensor slots = slots_of_keys(shard_keys).masked_fill(member.logical_not(), -1);
  const at::Tensor rows = bank.layout().places_of(slots).rows.to(at::kCPU).contiguous();
  const at::Tensor host_slots = slots.to(at::kCPU).contiguous();
  const auto* slot = host_slots.const_data_ptr<std::int64_t>();
  const auto* row = rows.const_data_ptr<std::int64_t>();
  std::vector<Numbers> of_queries;
  for (std::int64_t query = 0; query < slots.size(0); ++query) {
    std::vector<std::vector<HardMember>> members(sizes.size());
    for (std::int64_t i = 0; i < slots.size(1); ++i, ++slot, ++row) {
      if (*slot < 0) continue;
      const BankOrigin origin = *bank.layout().origin_of(*slot);
      members[sizes.at(origin.batch_size)].push_back({origin.offset, *slot, *row});
    }
    Numbers& numbers = of_queries.emplace_back();
    for (std::vector<HardMember>& of_size : members) numbers.emplace_back(std::move(of_size), recipe.distinct);
  }
  return of_queries;
}

/// [Q, 2 Z] int64 on the host: pairs of each size, then members of each size.
at::Tensor count_members(const std::vector<Numbers>& of_queries, std::int64_t sizes) {
  at::Tensor counts = at::empty({static_cast<std::int64_t>(of_queries.size()), 2 * sizes}, at::kLong);
  auto* count = counts.mutable_data_ptr<std::int64_t>();
  for (const Numbers& numbers : of_queries) {
    for (const PairNumbers& of_size : numbers) *count++ = of_size.pairs();
    for (const PairNumbers& of_size : numbers) *count++ = of_size.members();
  }
  return counts;
}

/// counts [P, b, Z] of all shards -> where each shard's run of each size begins, sizes first: [P, b, Z].
at::Tensor begins_of_runs(const at::Tensor& counts) {
  const at::Tensor in_order = counts.permute({1, 2, 0}).flatten(1);  // [b, Z P]
  const at::Tensor begins = in_order.cumsum(1) - in_order;
  return begins.unflatten(1, {counts.size(2), counts.size(0)}).permute({2, 0, 1});
}

/// A list for each query, as one tensor [Q, longest].
template <typename Value>
at::Tensor as_rows(const std::vector<std::vector<Value>>& lists, Value none, const at::TensorOptions& options) {
  std::size_t longest = 0;
  for (const std::vector<Value>& list : lists) longest = std::max(longest, list.size());
  const auto width = static_cast<std::int64_t>(longest);
  at::Tensor rows = at::full({static_cast<std::int64_t>(lists.size()), width}, none,
                             at::TensorOptions(c10::CppTypeToScalarType<Value>::value));
  auto* row = rows.template mutable_data_ptr<Value>();
  for (const std::vector<Value>& list : lists) {
    std::copy(list.begin(), list.end(), row);
    row += width;
  }
  return rows.to(options.device());
}

/// This shard's part of all queries' draws.
class OwnDraws {
 public:
  OwnDraws(const MixRecipe& recipe, std::size_t queries)
      : recipe_(recipe), first_(queries), second_(queries), alpha_(queries), partner_(queries), beta_(queries) {}

  /// `begins` [2 Z + 1]: of the pairs and of the members of each size, then how many pairs there are in all.
  void draw(std::size_t query, std::int64_t index, const Numbers& numbers, const std::int64_t* begins) {
    const std::int64_t* begins_of_members = begins + numbers.size();
    const std::int64_t pairs = begins_of_members[numbers.size()];
    const auto step = static_cast<std::uint64_t>(recipe_.step);
    CounterRng pair_random(recipe_.seed, Purpose::kPairMix, step, static_cast<std::uint64_t>(index));
    for (std::int64_t k = 0; k < recipe_.pairs && pairs > 0; ++k) {
      const auto drawn = static_cast<std::int64_t>(pair_random.below(static_cast<std::uint64_t>(pairs)));
      const double alpha = pair_random.uniform();
      for (std::size_t size = 0; size < numbers.size(); ++size) {
        const std::int64_t own = drawn - begins[size];
        if (own < 0 || own >= numbers[size].pairs()) continue;
        const RowPair pair = numbers[size].pair(own);
        first_[query].push_back(pair.first);
        second_[query].push_back(pair.second);
        alpha_[query].push_back(alpha);
      }
    }
    CounterRng query_random(recipe_.seed, Purpose::kQueryMix, step, static_cast<std::uint64_t>(index));
    for (std::int64_t k = 0; k < recipe_.query_mixes; ++k) {
      const auto drawn = static_cast<std::int64_t>(query_random.below(static_cast<std::uint64_t>(recipe_.hard)));
      const double beta = recipe_.max_query_share * query_random.uniform();
      for (std::size_t size = 0; size < numbers.size(); ++size) {
        const std::int64_t own = drawn - begins_of_members[size];
        if (own < 0 || own >= numbers[size].members()) continue;
        partner_[query].push_back(numbers[size].row(own));
        beta_[query].push_back(beta);
      }
    }
  }

  MixLists lists(const at::TensorOptions& options) const {
    constexpr std::int64_t kNone = -1;
    return {as_rows(first_, kNone, options), as_rows(second_, kNone, options), as_rows(alpha_, 0.0, options),
            as_rows(partner_, kNone, options), as_rows(beta_, 0.0, options)};
  }

 private:
  const MixRecipe& recipe_;
  std::vector<std::vector<std::int64_t>> first_;
  std::vector<std::vector<std::int64_t>> second_;
  std::vector<std::vector<double>> alpha_;
  std::vector<std::vector<std::int64_t>> partner_;
  std::vector<std::vector<double>> beta_;
};

}  // namespace

// Who makes which mix, without a row or a draw that travels. A *member* is a row of a query's hard set. Two members
// may be paired when they came from the same position of global batches of the same size, because such rows lie on
// one rank whatever the number of ranks. All pairs of a query, over all shards, are numbered by (batch size,
// position, slot of the first, slot of the second). A rank owns consecutive positions of each batch size, so its
// pairs are one *run* of numbers for each size, and all it has to be told is where its runs begin.
//
//   1  threshold   each owner tells all shards its query's N-th best key: members are the keys up to it
//   2  counts      each shard tells the owner how many pairs and members of each size it holds, [Q, 2 Z]
//   3  begins      the owner adds them up, sizes first and ranks within a size, and tells each shard where its runs
//                  begin and how many pairs there are in all, [b, 2 Z + 1]
//   4  draws       every shard regenerates the numbers u in [0, pairs) of the query and makes those in its own runs
//
// Example, one batch size, two shards. Shard 0 holds members at position 0 (slots 5, 7) and at position 4 (slots 2,
// 3, 9): 2 + 6 = 8 ordered pairs. Shard 1 holds two members at position 6: 2 pairs. So there are 10 pairs; the run
// of shard 0 begins at 0, that of shard 1 at 8. The query draws u = 3, 8, 0. Shard 0 makes number 3, (2, 9) at
// position 4, and number 0, (5, 7) at position 0; shard 1 makes its own number 8 - 8 = 0. Query mixes are drawn
// alike among the members. Each shard scores its mixes, and their terms travel with its partial. See
// samplers/exchange/EXCHANGE.md 8.
MixResult run_local_mixes(Communicator& comm, const Bank& bank, const MixRecipe& recipe, const MixQueries& queries,
                          const HardSets& hard_sets, const QueryShares& shares) {
  const at::Device device = queries.vectors.device();
  const std::int64_t own = shares.size(comm.rank());
  const at::Tensor eligible = has_hard_set(recipe, hard_sets.keys);  // [b]
  const at::Tensor threshold =
      hard_sets.keys.select(1, recipe.hard - 1).masked_fill(eligible.logical_not(), kBeforeAllKeys);
  // Shards told owners more keys than belong to the hard set; the N-th best key of each query says which do. Without a
  // whole hard set nothing does.
  const std::vector<Numbers> members =
      number_members(bank, recipe, hard_sets.shard_keys, comm.all_gather(threshold.contiguous(), shares.sizes));

  const auto sizes = static_cast<std::int64_t>(positions_of_sizes(bank.layout()).size());
  const Counts own_of_each(shares.sizes.size(), own);
  const at::Tensor counts = comm.all_to_all(count_members(members, sizes).to(device), shares.sizes, own_of_each)
                                .view({comm.size(), own, 2 * sizes});
  const at::Tensor pair_counts = counts.narrow(2, 0, sizes);
  const at::Tensor pairs = pair_counts.sum(2).sum(0);  // [b]
  const at::Tensor begins = at::cat({begins_of_runs(pair_counts), begins_of_runs(counts.narrow(2, sizes, sizes)),
                                     pairs.view({1, own, 1}).expand({comm.size(), own, 1})},
                                    2)
                                .reshape({comm.size() * own, 2 * sizes + 1});
  // Owners tell each shard where its runs begin, and how many pairs there are in all, which bounds the draws.
  const at::Tensor told = comm.all_to_all(begins, own_of_each, shares.sizes).to(at::kCPU);  // [Q, 2 Z + 1]

  const at::Tensor index = queries.index.to(at::kCPU).contiguous();
  OwnDraws draws(recipe, members.size());
  for (std::size_t query = 0; query < members.size(); ++query) {
    const Numbers& numbers = members[query];
    const bool any =
        std::any_of(numbers.begin(), numbers.end(), [](const PairNumbers& of_size) { return of_size.members() > 0; });
    // A shard without members of a query has no run to find draws in.
    if (!any) continue;
    draws.draw(query, index.const_data_ptr<std::int64_t>()[query], numbers,
               told.const_data_ptr<std::int64_t>() + static_cast<std::int64_t>(query) * told.size(1));
  }
  MixResult result = run_mixes(recipe, bank.shard().rows, draws.lists(queries.vectors.options()), queries);
  // The owner knows the count without asking: every draw is some shard's.
  result.count = ((pairs > 0).to(at::kLong) * recipe.pairs + recipe.query_mixes) * eligible.to(at::kLong);
  return result;
}

}  // namespace negatron
