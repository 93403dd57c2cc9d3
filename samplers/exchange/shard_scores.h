#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/ranking/hard_set.h"
#include "samplers/exchange/rows/met_rows.h"
#include "samplers/exchange/shard_candidates.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// What all ranks' queries meet of a request's sets on this shard.
class ShardScores {
 public:
  /// All are referred to. `terms` with the offsets of all queries. Local.
  ShardScores(const Bank& bank, const NegativeRequest& request, const GatheredQueries& gathered,
              const ShardCandidates& shard, const std::vector<ScoreTerm>& terms)
      : bank_(bank), request_(request), gathered_(gathered), shard_(shard), terms_(terms) {}

  /// Whether run() is one pass over the whole shard, without collectives. Local.
  static bool is_one_pass(const NegativeRequest& request);
  /// That pass; it finds the `best` best candidates of each query too where the rows have no factors. Local.
  PassRequest one_pass(std::int64_t best) const;

  /// [Q] each. Collective: the windows of further positives, then those of the sets and what they choose of
  /// lists, one after the other (set_windows.h, list_choice.h). Where the one set is the whole bank, the same sweep
  /// finds the `best` best candidates of each query.
  PassResult run(Communicator& group, HardSetSearch& search, const Pass& pass, std::int64_t best);
  /// What a one_pass() over the whole shard meets. Local.
  MetSet met_in_one_pass() const;
  /// What run() met of each set, where the request keeps it. Local.
  std::vector<MetSet> take_met() { return std::move(met_); }
  /// As NegativeResult::kept. Collective where the request keeps something.
  at::Tensor choose_kept(Communicator& group) const;
  /// As NegativeResult::tried. Local.
  const at::Tensor& tried() const noexcept { return tried_; }

 private:
  /// What is asked of every set alike.
  PassRequest plain_request() const;
  /// [n] log weight of each row in a set, undefined when all count once.
  at::Tensor bias_of(const NegativeSet& set) const;
  /// The slots that a set names, [Q, m], `gathered` or, where that is undefined, drawn. Local.
  at::Tensor named_slots(const NegativeSet& set, const at::Tensor& gathered) const;
  /// Those that it meets. Where it chooses, collective: bytes of choose_of_lists() and (Q - b) n 8; else local.
  at::Tensor met_slots(Communicator& group, std::size_t set);
  void keep(const MetSet& met) {
    if (request_.keeps_met) met_.push_back(met);
  }

  const Bank& bank_;
  const NegativeRequest& request_;
  const GatheredQueries& gathered_;
  const ShardCandidates& shard_;
  const std::vector<ScoreTerm>& terms_;
  std::vector<MetSet> met_;
  at::Tensor tried_;
};

}  // namespace negatron
