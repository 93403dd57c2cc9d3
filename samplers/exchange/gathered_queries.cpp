#include "samplers/exchange/gathered_queries.h"

#include <algorithm>
#include <cstddef>

#include "comm/queued_copy.h"
#include "samplers/exchange/columns.h"

namespace negatron {
namespace {

bool by_positive(const SelectionOrder& order) {
  return order.by == SelectionOrder::By::kPositiveScore;
}

bool needs_labels(const NegativeRequest& request) {
  return request.label_rule == LabelRule::kDifferent || request.positive_rule == PositiveRule::kSameLabel;
}

bool needs_ids(const QueryBatch& batch, const NegativeRequest& request) {
  return request.exclude_own_sample && batch.ids.defined() && !batch.all_ids.defined();
}

}  // namespace

bool needs_keys(const NegativeRequest& request) {
  const auto needed_by = [](const NegativeSet& set) {
    return (set.has_rank_window() && by_positive(set.order)) || (set.draws > 0 && by_positive(set.draw_order));
  };
  if (std::any_of(request.sets.begin(), request.sets.end(), needed_by)) return true;
  if (request.kept && needed_by(*request.kept)) return true;
  return request.positive_rule == PositiveRule::kWindow && by_positive(request.positive_set.order);
}

QueryMessages pack_queries(const QueryBatch& batch, const NegativeRequest& request,
                           const std::vector<ScoreTerm>& terms) {
  // [b, columns]: what is packed follows from request and terms alone, which all ranks make alike, so unpack_queries()
  // takes columns in the same order without being told.
  std::vector<at::Tensor> vectors{batch.queries.detach()};
  const auto add = [&](const at::Tensor& column) {
    if (column.defined()) vectors.push_back(column.detach().to(batch.queries.options()).unsqueeze(1));
  };
  // One message for all that has the dtype of the queries, one for all integers: two latencies whatever is asked for.
  if (needs_keys(request)) vectors.push_back(batch.keys.detach().to(batch.queries.options()));
  for (const ScoreTerm& term : terms) add(term.query_offset);
  for (const NegativeSet& set : request.sets) {
    if (set.lists_slots()) continue;
    add(set.lower_score);
    add(set.upper_score);
  }

  // Ids and labels live on the host, but a group over device tensors moves nothing else.
  std::vector<at::Tensor> whole;
  const auto add_whole = [&](const at::Tensor& columns) {
    whole.push_back(queued_copy(columns, batch.queries.device()));
  };
  if (needs_ids(batch, request)) add_whole(batch.ids.unsqueeze(1));
  if (needs_labels(request)) add_whole(batch.labels.unsqueeze(1));
  for (const NegativeSet& set : request.sets) {
    if (set.slots.defined()) add_whole(set.slots);
  }
  if (request.kept && request.kept->slots.defined()) add_whole(request.kept->slots);

  QueryMessages messages{at::cat(vectors, 1).contiguous(), {}};
  if (!whole.empty()) messages.numbers = at::cat(whole, 1).contiguous();
  return messages;
}

GatheredQueries unpack_queries(const QueryMessages& messages, const QueryBatch& batch, const NegativeRequest& request,
                               const std::vector<ScoreTerm>& terms) {
  const std::int64_t width = batch.queries.size(1);
  GatheredQueries gathered;
  Columns vectors(messages.vectors);
  gathered.queries = vectors.next(width).contiguous();
  if (needs_keys(request)) gathered.keys = vectors.next(width).contiguous();
  for (const ScoreTerm& term : terms) {
    gathered.query_offset.push_back(term.query_offset.defined() ? vectors.next().contiguous() : at::Tensor());
  }
  for (const NegativeSet& set : request.sets) {
    const auto bound = [&](const at::Tensor& own) {
      return own.defined() && !set.lists_slots() ? vectors.next().contiguous() : at::Tensor();
    };
    gathered.lower_score.push_back(bound(set.lower_score));
    gathered.upper_score.push_back(bound(set.upper_score));
  }

  gathered.slots.resize(request.sets.size());
  if (messages.numbers.defined()) {
    Columns numbers(messages.numbers);
    if (needs_ids(batch, request)) gathered.ids = numbers.next().contiguous();
    if (needs_labels(request)) gathered.labels = numbers.next().contiguous();
    for (std::size_t set = 0; set < request.sets.size(); ++set) {
      const at::Tensor& own = request.sets[set].slots;
      if (own.defined()) gathered.slots[set] = numbers.next(own.size(1)).contiguous();
    }
    if (request.kept && request.kept->slots.defined()) {
      gathered.kept_slots = numbers.next(request.kept->slots.size(1)).contiguous();
    }
  }
  if (request.exclude_own_sample && batch.all_ids.defined()) gathered.ids = batch.all_ids;
  gathered.query_index = at::arange(batch.shares.first, batch.shares.first + batch.shares.total(),
                                    batch.queries.options().dtype(at::kLong));
  return gathered;
}

}  // namespace negatron
