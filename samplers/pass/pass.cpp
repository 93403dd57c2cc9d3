#include "samplers/pass/pass.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "comm/require.h"
#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/candidate_tile.h"

namespace negatron {

at::Tensor Pass::best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                      std::int64_t m) const {
  return exhaustive_best_keys(rows, candidates, order, m);
}

PassRequest best_request(const Candidates& candidates, std::int64_t m) {
  PassRequest request;
  request.candidates = candidates;
  request.candidates.positive_rule = PositiveRule::kNone;
  request.best = m;
  return request;
}

bool is_plain_request(const PassRequest& request) {
  const Candidates& candidates = request.candidates;
  // A kernel serves a request only as a whole: one rule of labels or one window makes it another pass's.
  const bool asks = !request.terms.empty() || request.best > 0;
  return asks && std::all_of(request.terms.begin(), request.terms.end(), is_plain) &&
         largest_scale(request.terms) <= kLargestKernelScale && candidates.label_rule == LabelRule::kAny &&
         candidates.windows.empty() && candidates.positive_rule == PositiveRule::kNone;
}

PassResult empty_result(const PassRequest& request) {
  const at::Tensor& queries = request.candidates.queries;
  PassResult result;
  for (const ScoreTerm& term : request.terms) result.terms.push_back(empty_result(term, queries));
  result.count = at::zeros({queries.size(0)}, queries.options().dtype(at::kLong));
  if (request.want_max) {
    result.max = at::full({queries.size(0)}, -std::numeric_limits<double>::infinity(), queries.options());
  }
  if (request.best > 0) {
    result.best = at::full({queries.size(0), request.best}, kAfterAllKeys, queries.options().dtype(at::kLong));
  }
  return result;
}

PassResult merge(const std::vector<ScoreTerm>& terms, const PassResult& left, const PassResult& right) {
  PassResult result;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    result.terms.push_back(merge(terms[i], left.terms[i], right.terms[i]));
  }
  // Sets are disjoint, so no row is counted twice and no best row appears in both lists.
  result.count = left.count + right.count;
  if (left.max.defined()) result.max = at::maximum(left.max, right.max);
  if (left.best.defined() && right.best.defined()) {
    const at::Tensor all = std::get<0>(at::cat({left.best, right.best}, 1).sort(1));
    result.best = all.narrow(1, 0, left.best.size(1)).contiguous();
  }
  return result;
}

void check_pass_request(const Rows& rows, const PassRequest& request) {
  check_candidates(rows, request.candidates);
  for (const ScoreTerm& term : request.terms) check_term(term, request.candidates.queries);
  require(request.best >= 0, "pass: the number of best rows must not be negative");
  require(!request.bias.defined() || (request.bias.dim() == 1 && request.bias.is_floating_point() &&
                                      request.bias.size(0) == rows.vectors.size(0)),
          "pass: the bias must be floating and [n], one number for each row");
}

}  // namespace negatron
