#include "samplers/exchange/shard_scores.h"

#include <cmath>
#include <optional>

#include "samplers/exchange/ranking/list_choice.h"
#include "samplers/exchange/ranking/row_pool.h"
#include "samplers/exchange/ranking/set_windows.h"
#include "samplers/exchange/ranking/slot_draws.h"
#include "samplers/exchange/ranking/slot_lists.h"

namespace negatron {

at::Tensor ShardScores::bias_of(const NegativeSet& set) const {
  if (!request_.row_log_weights.defined() && set.weight == 1.0) return {};
  const at::TensorOptions options = shard_.candidates.queries.options();
  const at::Tensor weights = request_.row_log_weights.defined() ? request_.row_log_weights.detach().to(options)
                                                                : at::zeros({shard_.rows.vectors.size(0)}, options);
  return weights + std::log(set.weight);
}

PassRequest ShardScores::plain_request() const {
  PassRequest request;
  request.candidates = shard_.candidates;
  request.candidates.positive_rule = request_.positive_rule;
  request.terms = terms_;
  request.want_max = true;
  request.may_skip_max = !request_.needs_largest;
  return request;
}

bool ShardScores::is_one_pass(const NegativeRequest& request) {
  return request.sets.size() == 1 && request.sets[0].is_whole_bank() && request.positive_rule != PositiveRule::kWindow;
}

PassRequest ShardScores::one_pass(std::int64_t best) const {
  PassRequest request = plain_request();
  request.bias = bias_of(request_.sets[0]);
  // With factors rows are ranked by another score than the one that this pass computes.
  request.best = shard_.rows.order_factors.defined() ? 0 : best;
  return request;
}

MetSet ShardScores::met_in_one_pass() const {
  const PassRequest request = one_pass(0);
  return {shard_.rows, request.candidates, request.bias, {}};
}

at::Tensor ShardScores::named_slots(const NegativeSet& set, const at::Tensor& gathered) const {
  // Uniform draws were not gathered: every rank draws the same for all queries and keeps what lies on its shard.
  return gathered.defined()
             ? gathered
             : draw_uniform_slots(set.slot_order, gathered_.query_index, set.uniform_slots, bank_.filled());
}

at::Tensor ShardScores::met_slots(Communicator& group, std::size_t set) {
  const NegativeSet& listed = request_.sets[set];
  const at::Tensor named = named_slots(listed, gathered_.slots[set]);
  if (!listed.chooses_of_lists()) return named;
  const ListChoice choice = choose_of_lists(group, bank_, shard_, listed, named);
  if (listed.draws_as_listed && listed.lists == 1 && !tried_.defined()) tried_ = choice.tried.squeeze(1);
  return group.all_gather(choice.slots, shard_.shares.sizes);
}

at::Tensor ShardScores::choose_kept(Communicator& group) const {
  if (!request_.kept) return {};
  const at::Tensor named = named_slots(*request_.kept, gathered_.kept_slots);
  return choose_of_lists(group, bank_, shard_, *request_.kept, named).slots;
}

PassResult ShardScores::run(Communicator& group, HardSetSearch& search, const Pass& pass, std::int64_t best) {
  if (is_one_pass(request_)) {
    keep(met_in_one_pass());
    return pass.run(shard_.rows, one_pass(best));
  }
  PassRequest common = plain_request();
  if (request_.positive_rule == PositiveRule::kWindow) {
    common.candidates.positive_windows =
        WindowSearch(group, search, shard_, bank_.filled()).of_positives(request_.positive_set);
  }

  // The sets are disjoint, so what queries meet of each is merged as if it were one pass.
  std::optional<PassResult> all;
  for (std::size_t i = 0; i < request_.sets.size(); ++i) {
    const NegativeSet& set = request_.sets[i];
    PassRequest own = common;
    own.bias = bias_of(set);
    PassResult result;
    if (set.lists_slots()) {
      const at::Tensor lists = listed_candidates(bank_, shard_.rows, shard_.candidates, met_slots(group, i));
      result = run_over_lists(shard_.rows, own, lists);
      keep({shard_.rows, own.candidates, own.bias, lists});
    } else {
      const ShardCandidates pooled = candidates_of_pool(shard_, set.pool);
      own.candidates.exclusions = pooled.candidates.exclusions;
      // After this search each shard applies the windows for itself.
      own.candidates.windows = WindowSearch(group, search, pooled, bank_.filled())
                                   .of_set(set, gathered_.lower_score[i], gathered_.upper_score[i]);
      result = pass.run(pooled.rows, own);
      keep({pooled.rows, own.candidates, own.bias, {}});
    }
    all = all ? merge(terms_, *all, result) : result;
  }
  return all ? *all : empty_result(common);
}

}  // namespace negatron
