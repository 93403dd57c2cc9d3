#include "samplers/pass/listed_pass.h"

#include <limits>
#include <stdexcept>

#include <ATen/core/grad_mode.h>

#include "comm/require.h"
#include "samplers/pass/term_reduction.h"

namespace negatron {
namespace {

void check(const at::Tensor& queries, const ListedVectors& vectors, const std::vector<ScoreTerm>& terms) {
  require(vectors.scores.defined() && vectors.scores.dim() == 2 && vectors.scores.size(0) == queries.size(0) &&
              vectors.scores.is_floating_point(),
          "listed pass: scores must be floating and [Q, L]");
  const auto fits = [&](const at::Tensor& entries) { return entries.sizes() == vectors.scores.sizes(); };
  require(vectors.gradients.defined() && vectors.gradients.dim() == 3 &&
              vectors.gradients.size(0) == vectors.scores.size(0) &&
              vectors.gradients.size(1) == vectors.scores.size(1) && vectors.gradients.size(2) == queries.size(1),
          "listed pass: gradients must be [Q, L, d]");
  require(vectors.present.defined() && fits(vectors.present) && vectors.present.scalar_type() == at::kBool,
          "listed pass: present must be bool [Q, L]");
  require(!vectors.bias.defined() || fits(vectors.bias), "listed pass: the bias must be [Q, L]");
  require(!vectors.positive.defined() || (fits(vectors.positive) && vectors.positive.scalar_type() == at::kBool),
          "listed pass: positive must be bool [Q, L]");
  for (const ScoreTerm& term : terms) check_term(term, queries);
}

}  // namespace

at::Tensor gather_rows(const Rows& rows, const at::Tensor& lists, at::ScalarType dtype) {
  require(rows.vectors.defined() && rows.vectors.dim() == 2, "gather_rows: rows must be [n, d]");
  require(lists.defined() && lists.dim() == 2 && lists.scalar_type() == at::kLong,
          "gather_rows: lists must be int64 rows [Q, L]");
  const std::vector<std::int64_t> shape{lists.size(0), lists.size(1), rows.vectors.size(1)};
  if (rows.vectors.size(0) == 0) return at::zeros(shape, rows.vectors.options().dtype(dtype));
  // An entry of -1 reads row 0 and is then set to 0: a shape that depends on the entries would make a GPU's host wait.
  const at::Tensor listed = rows.vectors.index_select(0, lists.clamp_min(0).view(-1)).to(dtype).view(shape);
  return listed.masked_fill((lists < 0).unsqueeze(2), 0.0);
}

PassResult run_listed(const at::Tensor& queries, const ListedVectors& vectors, const std::vector<ScoreTerm>& terms,
                      bool want_max) {
  check(queries, vectors, terms);
  const at::NoGradGuard no_grad;
  const at::Tensor absent = vectors.present.logical_not();  // [Q, L]
  // What an absent entry holds is nobody's business, and 0 times an infinity would be NaN.
  const auto present_only = [](const at::Tensor& values, const at::Tensor& out) {
    return values.detach().masked_fill(out, 0.0);
  };
  ScoredRows rows;
  rows.scores = present_only(vectors.scores, absent).to(queries.scalar_type());
  if (vectors.bias.defined()) rows.bias = present_only(vectors.bias, absent).to(queries.scalar_type());
  const at::Tensor gradients = present_only(vectors.gradients, absent.unsqueeze(2)).to(queries.scalar_type());

  PassResult result;
  for (const ScoreTerm& term : terms) {
    rows.left_out = absent;
    if (term.rows == TermRows::kPositives) {
      rows.left_out =
          // Without marks no entry is a further positive, and the term runs over nothing.
          vectors.positive.defined() ? absent.logical_or(vectors.positive.logical_not()) : at::ones_like(absent);
    }
    const ReducedTerm reduced = reduce_term(term, rows, term_offset(term, queries));
    TermResult& own = result.terms.emplace_back(TermResult{reduced.value, {}, reduced.slope, reduced.log_weight});
    // [Q, 1, L] times [Q, L, d]: each query has its own vectors.
    if (term.want_gradient) own.gradient = reduced.coefficient.unsqueeze(1).bmm(gradients).squeeze(1);
  }
  result.count = vectors.present.sum(1);
  if (want_max) {
    constexpr double kNone = -std::numeric_limits<double>::infinity();
    // One entry more, so that a list of length 0 has a maximum too.
    const at::Tensor none = at::full({queries.size(0), 1}, kNone, queries.options());
    result.max = at::cat({rows.scores.masked_fill(absent, kNone), none}, 1).amax(1);
  }
  return result;
}

}  // namespace negatron
