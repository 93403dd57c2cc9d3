#include "samplers/exchange/shard_scores.h"

#include <cmath>
#include <optional>

#include "samplers/exchange/ranking/row_pool.h"
#include "samplers/exchange/ranking/set_windows.h"
#include "samplers/exchange/ranking/slot_draws.h"
#include "samplers/exchange/ranking/slot_lists.h"

namespace negatron {
namespace {

/// [n] log weight of each row in a set, undefined when all count once.
at::Tensor bias_of(const NegativeRequest& request, const NegativeSet& set, const Rows& rows,
                   const at::TensorOptions& options) {
  if (!request.row_log_weights.defined() && set.weight == 1.0) return {};
  const at::Tensor weights = request.row_log_weights.defined() ? request.row_log_weights.detach().to(options)
                                                               : at::zeros({rows.vectors.size(0)}, options);
  return weights + std::log(set.weight);
}

at::Tensor slots_of(const NegativeSet& set, const at::Tensor& gathered, const at::Tensor& query_index,
                    std::int64_t filled) {
  if (gathered.defined()) return gathered;
  return draw_uniform_slots(set.draw_order, query_index, set.uniform_slots, filled);
}

}  // namespace

Rows rows_to_score(const Bank& bank, const NegativeRequest& request, std::int64_t step) {
  return request.max_age > 0 ? bank.rows_no_older_than(step - request.max_age) : bank.shard().rows;
}

Candidates candidates_of(const Bank& bank, const Rows& rows, const NegativeRequest& request,
                         const GatheredQueries& gathered) {
  Candidates candidates;
  candidates.queries = gathered.queries;
  candidates.keys = gathered.keys;
  candidates.query_index = gathered.query_index;
  candidates.labels = gathered.labels;
  candidates.label_rule = request.label_rule;
  if (gathered.ids.defined()) candidates.exclusions = pairs_of_valid_rows(bank.rows_with_ids(gathered.ids), rows);
  return candidates;
}

bool is_one_pass(const NegativeRequest& request) {
  return request.sets.size() == 1 && request.sets[0].is_whole_bank() && request.positive_rule != PositiveRule::kWindow;
}

PassRequest one_pass(const Rows& rows, const Candidates& candidates, const NegativeRequest& request,
                     const std::vector<ScoreTerm>& terms, bool want_max, std::int64_t best) {
  PassRequest pass;
  pass.candidates = candidates;
  pass.candidates.positive_rule = request.positive_rule;
  pass.terms = terms;
  pass.want_max = want_max;
  pass.bias = bias_of(request, request.sets[0], rows, candidates.queries.options());
  pass.best = rows.order_factors.defined() ? 0 : best;
  return pass;
}

PassResult score_sets(Communicator& comm, HardSetSearch& hard_sets, const Pass& pass, const Bank& bank,
                      const Rows& rows, const Candidates& candidates, const NegativeRequest& request,
                      const GatheredQueries& gathered, const QueryShares& shares, const std::vector<ScoreTerm>& terms,
                      bool want_max, std::int64_t best) {
  if (is_one_pass(request)) return pass.run(rows, one_pass(rows, candidates, request, terms, want_max, best));
  PassRequest common;
  common.candidates = candidates;
  common.candidates.positive_rule = request.positive_rule;
  if (request.positive_rule == PositiveRule::kWindow) {
    common.candidates.positive_windows =
        WindowSearch(comm, hard_sets, rows, candidates, shares, bank.filled()).of_positives(request.positive_set);
  }
  common.terms = terms;
  common.want_max = want_max;

  std::optional<PassResult> all;
  for (std::size_t i = 0; i < request.sets.size(); ++i) {
    const NegativeSet& set = request.sets[i];
    PassRequest own = common;
    own.bias = bias_of(request, set, rows, candidates.queries.options());
    PassResult result;
    if (set.lists_slots()) {
      const at::Tensor slots = slots_of(set, gathered.slots[i], gathered.query_index, bank.filled());
      result = run_over_lists(rows, own, listed_candidates(bank, rows, candidates, slots));
    } else {
      const PooledRows pooled = rows_of_pool(rows, candidates, set.pool);
      own.candidates.exclusions = pooled.candidates.exclusions;
      own.candidates.windows = WindowSearch(comm, hard_sets, pooled.rows, pooled.candidates, shares, bank.filled())
                                   .of_set(set, gathered.lower_score[i], gathered.upper_score[i]);
      result = pass.run(pooled.rows, own);
    }
    all = all ? merge(terms, *all, result) : result;
  }
  return all ? *all : empty_result(common);
}

}  // namespace negatron
