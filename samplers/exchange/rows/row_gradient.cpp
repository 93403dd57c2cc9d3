#include "samplers/exchange/rows/row_gradient.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "comm/queued_copy.h"
#include "comm/require.h"
#include "samplers/bank/row_sums.h"
#include "samplers/pass/candidate_tile.h"
#include "samplers/pass/exclusion_list.h"
#include "samplers/pass/listed_pass.h"

namespace negatron {
namespace {

/// Queries that are scored together: with a leaf of some 1024 rows a tile of 1 MiB, which a core's cache holds.
constexpr std::int64_t kQueriesTogether = 256;
constexpr std::int64_t kRowsTogether = 1024;
/// Of listed rows, gathered for some queries at a time.
constexpr std::int64_t kListedElements = std::int64_t{1} << 22;
/// A GPU wants large products.
constexpr std::int64_t kRowsTogetherOnDevice = 65536;

/// One term of one set: what every query of the group sent about it.
struct SentTerm {
  const ScoreTerm& term;
  at::Tensor numbers;  // [Q, 3]
};

/// Whether every query met every row but few, each counted once, so that nothing needs a mask.
bool met_all(const MetSet& set) {
  return !set.lists.defined() && !set.bias.defined() && !set.rows.validity.defined() &&
         set.candidates.windows.empty() && set.candidates.label_rule == LabelRule::kAny;
}

/// Calls `visit` for blocks [begin, end) of at most `together` of `count`.
template <typename Visit>
void in_blocks(std::int64_t count, std::int64_t together, const Visit& visit) {
  for (std::int64_t begin = 0; begin < count; begin += together) visit(Range{begin, std::min(begin + together, count)});
}

at::Tensor part(const at::Tensor& all, Range block) {
  return all.narrow(0, block.begin, block.size());
}

/// Sets those elements of a tile [rows, queries] to 0 whose query may not meet the row.
void clear_excluded(const ExclusionList& exclusions, Range rows, Range queries, const at::Tensor& tile) {
  std::vector<std::int64_t> positions;
  for (const ExcludedPair& pair : exclusions.of(rows)) {
    if (pair.query < queries.begin || pair.query >= queries.end) continue;
    positions.push_back((pair.row - rows.begin) * queries.size() + pair.query - queries.begin);
  }
  if (positions.empty()) return;
  tile.view({-1}).index_fill_(0, queued_copy(at::tensor(positions, at::kLong), tile.device()), 0.0);
}

/// A plain term where nothing but single pairs is masked: two products and an exponential between them. The weight of
/// each query, dL/dt times the scale, is multiplied into the queries of the second product, and the scale into those of
/// the first.
void add_plain(const MetSet& set, const SentTerm& sent, const at::Tensor& gradient) {
  const at::Tensor& queries = set.candidates.queries;
  const at::Tensor scaled = queries * sent.term.scale;
  const at::Tensor weighted = queries * (sent.numbers.select(1, 0) * sent.term.scale).unsqueeze(1);
  const at::Tensor shift = (sent.numbers.select(1, 1) - sent.numbers.select(1, 2)).unsqueeze(0);  // [1, Q]
  const at::Tensor& vectors = set.rows.vectors;
  const ExclusionList exclusions(set.candidates.exclusions, queries.size(0), vectors.size(0));
  in_blocks(vectors.size(0), vectors.is_cpu() ? kRowsTogether : kRowsTogetherOnDevice, [&](Range rows) {
    const at::Tensor own = part(vectors, rows).to(queries.scalar_type());  // [n, d]
    at::Tensor sum = part(gradient, rows);
    in_blocks(queries.size(0), kQueriesTogether, [&](Range block) {
      const at::Tensor tile = own.mm(part(scaled, block).t());  // [n, b]
      tile.sub_(shift.narrow(1, block.begin, block.size())).exp_();
      clear_excluded(exclusions, rows, block, tile);
      sum.addmm_(tile, part(weighted, block));
    });
  });
}

/// Any terms under any rules, leaf after leaf as a pass goes.
void add_masked(const MetSet& set, const std::vector<SentTerm>& terms, const at::Tensor& gradient) {
  const at::Tensor& queries = set.candidates.queries;
  CandidateSweep sweep(set.rows, set.candidates);
  for (const Leaf& leaf : set.rows.leaves) {
    if (leaf.valid == 0) continue;
    sweep.enter(leaf);
    const Range rows{leaf.begin, leaf.end};
    const at::Tensor own = part(set.rows.vectors, rows).to(queries.scalar_type());
    const at::Tensor bias = set.bias.defined() ? part(set.bias, rows).unsqueeze(0) : at::Tensor();
    at::Tensor sum = part(gradient, rows);
    in_blocks(queries.size(0), kQueriesTogether, [&](Range block) {
      const CandidateTile tile = sweep.tile(block);
      const at::Tensor some = part(queries, block);
      // Where scores decided who was met, those of a pass are these.
      const at::Tensor scores =
          sweep.has_windows() ? tile.exact_scores().to(queries.scalar_type()) : some.mm(own.t());  // [b, n]
      at::Tensor weights = at::zeros_like(scores);
      for (const SentTerm& sent : terms) {
        weights += by_score(sent.term, scores, part(sent.numbers, block).unsqueeze(1), bias);
      }
      // Where a row and a query did not meet, the weight may be any number or none.
      sum.addmm_(weights.masked_fill(tile.barred(), 0.0).t(), some);
    });
  }
}

/// Rows that are named: each entry of a list is a meeting of its own. `places` [Q, L] is where the gradient of each is.
void add_listed(const MetSet& set, const std::vector<SentTerm>& terms, const at::Tensor& places,
                const at::Tensor& gradient) {
  const at::Tensor& queries = set.candidates.queries;
  const std::int64_t elements = set.lists.size(1) * queries.size(1);
  if (elements == 0 || gradient.size(0) == 0) return;
  // [Q, L, d] can be gigabytes.
  const std::int64_t together = std::clamp<std::int64_t>(kListedElements / elements, 1, kQueriesTogether);
  in_blocks(queries.size(0), together, [&](Range block) {
    const at::Tensor lists = part(set.lists, block);  // [b, L]
    const at::Tensor some = part(queries, block);
    const at::Tensor scores = gather_rows(set.rows, lists, queries.scalar_type()).bmm(some.unsqueeze(2)).squeeze(2);
    const at::Tensor own = lists.clamp_min(0).flatten();
    const at::Tensor bias = set.bias.defined() ? set.bias.index_select(0, own).view_as(lists) : at::Tensor();
    at::Tensor weights = at::zeros_like(scores);
    for (const SentTerm& sent : terms) {
      weights += by_score(sent.term, scores, part(sent.numbers, block).unsqueeze(1), bias);
    }
    weights.masked_fill_(lists < 0, 0.0);
    const at::Tensor of_entries = (weights.unsqueeze(2) * some.unsqueeze(1)).flatten(0, 1);  // [b L, d]
    add_in_order(gradient, part(places, block).clamp_min(0).flatten(), of_entries);
  });
}

/// Where the gradient of each entry of each list goes.
struct ListedPlaces {
  /// The rows that any query met, ascending.
  at::Tensor rows;
  /// [Q, L] of each set: the place of an entry's row among them, 0 for an entry of none.
  std::vector<at::Tensor> places;
};

bool all_are_lists(const MetRows& met) {
  return !met.sets.empty() &&
         std::all_of(met.sets.begin(), met.sets.end(), [](const MetSet& set) { return set.lists.defined(); });
}

// Example: two sets whose lists are 4, none, 9 and 4, 7. Rows are 4, 7, 9 and places 0, 0, 2 and 0, 1.
ListedPlaces places_of_lists(const MetRows& met) {
  std::vector<at::Tensor> flat;
  for (const MetSet& set : met.sets) flat.push_back(set.lists.flatten());
  const at::Tensor all = at::cat(flat);
  const at::Tensor present = (all >= 0).nonzero().squeeze(1);
  const auto [rows, inverse, unused] =
      at::_unique2(all.index_select(0, present), /*sorted=*/true, /*return_inverse=*/true, false);
  const at::Tensor places = at::zeros_like(all).index_copy_(0, present, inverse);
  ListedPlaces found{rows, {}};
  std::int64_t begin = 0;
  for (const MetSet& set : met.sets) {
    found.places.push_back(places.narrow(0, begin, set.lists.numel()).view_as(set.lists));
    begin += set.lists.numel();
  }
  return found;
}

}  // namespace

// Example: two ranks with a query and a row each, one log-sum-exp at scale 5. Query 1 meets s = 0.2 with row 1 and 0.6
// with row 2: t = log(e^1 + e^3) = 3.12693, and with s+ = 0.8 the loss is softplus(t - 4) = 0.34901, dL/dt = 0.29462,
// half of which counts, as the loss is a mean over two queries. Rank 1 sends (0.14731, 3.12693, 0) to rank 2, whose row
// has p = exp(5 * 0.6 - 3.12693) = 0.88080 and gets 0.14731 * 0.88080 * 5 q_1 = 0.64874 q_1 of it.
GradientOfRows row_gradient(Communicator& group, const Bank& bank, const MetRows& met,
                            const std::vector<TermShare>& shares, GradientRows wanted) {
  const at::NoGradGuard no_grad;
  for (const TermShare& share : shares) {
    require(share.term.rows == TermRows::kCandidates, "row_gradient: rows take no gradient as further positives");
  }
  const at::ScalarType type = shares.front().result.value.scalar_type();
  const at::Tensor numbers = group.all_gather(share_numbers(shares, type), met.shares.sizes);  // [Q, T, 3]
  ListedPlaces listed;
  if (wanted == GradientRows::kMet && all_are_lists(met)) listed = places_of_lists(met);
  const std::int64_t rows = listed.rows.defined() ? listed.rows.size(0) : bank.shard().rows.vectors.size(0);
  const at::Tensor gradient = at::zeros({rows, bank.width()}, numbers.options());
  std::vector<SentTerm> terms;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    terms.push_back({shares[i].term, numbers.select(1, static_cast<std::int64_t>(i))});
  }
  for (std::size_t i = 0; i < met.sets.size(); ++i) {
    const MetSet& set = met.sets[i];
    if (set.lists.defined()) {
      add_listed(set, terms, listed.rows.defined() ? listed.places[i] : set.lists, gradient);
    } else if (terms.size() == 1 && is_plain(terms.front().term) && met_all(set)) {
      add_plain(set, terms.front(), gradient);
    } else {
      add_masked(set, terms, gradient);
    }
  }
  return {listed.rows, gradient};
}

}  // namespace negatron
