#include "samplers/pass/blocked_pass.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>

#include <ATen/core/grad_mode.h>

#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/candidate_tile.h"
#include "samplers/pass/reduction_tree.h"
#include "samplers/pass/term_reduction.h"

namespace negatron {
namespace {

/// The plain term that leads: its logits are computed where the scores lie. None when there is no plain term whose
/// scale is above 0, so that the maximum can be read off it.
std::optional<std::size_t> leading_term(const std::vector<ScoreTerm>& terms) {
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (is_plain(terms[i]) && terms[i].scale > 0.0) return i;
  }
  return std::nullopt;
}

/// A result whose tensors wait to be filled block by block.
PassResult unfilled_result(const PassRequest& request) {
  const at::Tensor& queries = request.candidates.queries;
  const auto scalars = [&] { return at::empty({queries.size(0)}, queries.options()); };
  PassResult result;
  for (const ScoreTerm& term : request.terms) {
    TermResult& own = result.terms.emplace_back();
    own.value = scalars();
    if (term.want_gradient) own.gradient = at::empty(queries.sizes(), queries.options());
    if (term.want_slope) own.slope = scalars();
    if (term.reduction == Reduction::kSoftmaxMean) own.log_weight = scalars();
  }
  result.count = at::empty({queries.size(0)}, queries.options().dtype(at::kLong));
  if (request.want_max) result.max = scalars();
  return result;
}

/// The part of a result that belongs to a block of queries; shares its memory.
PassResult part(const PassResult& result, Range block) {
  const auto own = [&](const at::Tensor& all) {
    return all.defined() ? all.narrow(0, block.begin, block.size()) : at::Tensor();
  };
  PassResult view{{}, own(result.count), own(result.max), {}};
  for (const TermResult& term : result.terms) {
    view.terms.push_back({own(term.value), own(term.gradient), own(term.slope), own(term.log_weight)});
  }
  return view;
}

/// One run's buffers and operands.
/// Leaf after leaf, block of queries after block, so that a few tiles [b, n] are alive at a time and never all scores.
/// Terms take turns with the tile.
///
/// A request of two plain terms at scales 5 and 10 with a count: the tile holds 5 q . n; the count reads it, divided by
/// 5; the term at 10 copies it, doubled, into the spare tile and makes weights there; the term at 5, which leads, goes
/// last and makes its weights where the scores lay.
class Sweep {
 public:
  Sweep(const Rows& rows, const PassRequest& request, std::int64_t query_block)
      : rows_(rows),
        request_(request),
        candidates_(rows, request.candidates),
        query_block_(std::min(query_block, request.candidates.queries.size(0))),
        lead_(leading_term(request.terms)) {
    const at::Tensor queries = request.candidates.queries.detach();
    // Scaling the queries saves scaling the tile. Scores that decide membership stay as they are.
    if (lead_ && !candidates_.has_windows()) base_scale_ = request.terms[*lead_].scale;
    queries_ = base_scale_ == 1.0 ? queries : queries * base_scale_;
    if (request.bias.defined()) bias_ = request.bias.detach().to(queries.options());
    for (const ScoreTerm& term : request.terms) offsets_.push_back(term_offset(term, queries));

    std::int64_t largest = 0;
    for (const Leaf& leaf : rows.leaves) largest = std::max(largest, leaf.size());
    scores_ = at::empty({query_block_ * largest}, queries.options());
    const auto plain = std::count_if(request.terms.begin(), request.terms.end(), is_plain);
    // Of the plain terms all but the leading one need a tile beside the scores; so does a maximum that cannot be read
    // off the leading term's masked logits.
    if (plain > (lead_ ? 1 : 0) || (request.want_max && !lead_)) spare_ = at::empty_like(scores_);
  }

  PassResult score(const Leaf& leaf) {
    candidates_.enter(leaf);
    PassResult result = unfilled_result(request_);
    const std::int64_t count = queries_.size(0);
    // Rows in bf16 or fp16 are widened leaf by leaf: the bank as a whole is never held in the queries' type.
    const at::Tensor rows = rows_.vectors.narrow(0, leaf.begin, leaf.size()).to(queries_.scalar_type());  // [n, d]
    for (std::int64_t begin = 0; begin < count; begin += query_block_) {
      const Range block{begin, std::min(begin + query_block_, count)};
      score_block(leaf, rows, block, part(result, block));
    }
    return result;
  }

 private:
  at::Tensor tile_of(const at::Tensor& buffer, const Leaf& leaf, Range block) const {
    return buffer.narrow(0, 0, block.size() * leaf.size()).view({block.size(), leaf.size()});
  }

  void score_block(const Leaf& leaf, const at::Tensor& rows, Range block, PassResult own) {
    const CandidateTile tile = candidates_.tile(block);
    at::Tensor scores = tile_of(scores_, leaf, block);  // [b, n] times base_scale_
    if (candidates_.has_windows()) {
      // Where a score decides whether a row is met, all numbers come from the fp64 scores that decided it: a row at the
      // edge of a window must not be in by one product and out by another.
      scores.copy_(tile.exact_scores());
    } else {
      at::mm_out(scores, queries_.narrow(0, block.begin, block.size()), rows.t());
    }
    own.count.copy_(tile.count());
    if (request_.want_max && !lead_) {
      at::Tensor masked = tile_of(spare_, leaf, block).copy_(scores);
      tile.hide(masked);
      at::amax_out(own.max, masked, 1);
    }
    at::Tensor raw;  // [b, n] the scores themselves, for terms that are not plain
    for (std::size_t i = 0; i < request_.terms.size(); ++i) {
      if (i == lead_) continue;
      const ScoreTerm& term = request_.terms[i];
      if (is_plain(term)) {
        at::Tensor logits = tile_of(spare_, leaf, block);
        // From unmasked scores: a scale of 0 must not meet an infinity.
        at::mul_out(logits, scores, at::scalar_tensor(term.scale / base_scale_, scores.options()));
        tile.hide(logits);
        soften(leaf, rows, block, i, logits, own.terms[i]);
        continue;
      }
      // Unmasked: other terms mask weights and not summands, because a shape at -infinity may be NaN.
      if (!raw.defined()) raw = base_scale_ == 1.0 ? scores : scores / base_scale_;
      const bool positives = term.rows == TermRows::kPositives;
      reduce(leaf, rows, block, i, {raw, {}, positives ? tile.no_positive() : tile.barred()}, own.terms[i]);
    }
    if (lead_) lead(leaf, rows, block, tile, scores, own);
  }

  /// The leading term, last, because it overwrites the scores.
  void lead(const Leaf& leaf, const at::Tensor& rows, Range block, const CandidateTile& tile, at::Tensor& scores,
            PassResult& own) {
    const double scale = request_.terms[*lead_].scale;
    // With windows the tile holds plain scores, and is scaled only now.
    if (scale != base_scale_) scores.mul_(scale / base_scale_);
    tile.hide(scores);
    // The scale of the leading term is above 0, so the largest logit is that of the largest score; -infinity over no
    // row stays what it is.
    if (request_.want_max) at::div_out(own.max, scores.amax(1), at::scalar_tensor(scale, scores.options()));
    soften(leaf, rows, block, *lead_, scores, own.terms[*lead_]);
  }

  /// A plain term: turns its logits [b, n], scaled and masked, into weights in place. Its offset, the same for all rows
  /// of a query, need not enter the tile.
  void soften(const Leaf& leaf, const at::Tensor& rows, Range block, std::size_t index, at::Tensor& logits,
              TermResult& own) const {
    const ScoreTerm& term = request_.terms[index];
    if (bias_.defined()) logits.add_(bias_.narrow(0, leaf.begin, leaf.size()));
    const at::Tensor shift = softmax_shift(logits);
    logits.sub_(shift).exp_();
    const at::Tensor mass = logits.sum(1, true);  // [b, 1]
    own.value.copy_((shift + mass.log() + offset_of(index, block)).squeeze(1));
    if (term.want_gradient) {
      at::mm_out(own.gradient, logits, rows);
      // c O with O = sum_j w_j n_j / sum_j w_j. Over no row every weight is 0, so the product is 0, and 1 in place of
      // the mass keeps it so.
      own.gradient.mul_(term.scale / mass.masked_fill(mass == 0.0, 1.0));
    }
    // 1, or 0 over no row.
    if (term.want_slope) own.slope.copy_((mass > 0.0).squeeze(1));
  }

  /// Any other term, from scores [b, n].
  void reduce(const Leaf& leaf, const at::Tensor& rows, Range block, std::size_t index, ScoredRows scored,
              TermResult& own) const {
    const ScoreTerm& term = request_.terms[index];
    if (bias_.defined()) scored.bias = bias_.narrow(0, leaf.begin, leaf.size()).unsqueeze(0);
    const ReducedTerm reduced = reduce_term(term, scored, offset_of(index, block));
    own.value.copy_(reduced.value);
    if (term.want_gradient) at::mm_out(own.gradient, reduced.coefficient, rows);
    if (term.want_slope) own.slope.copy_(reduced.slope);
    if (reduced.log_weight.defined()) own.log_weight.copy_(reduced.log_weight);
  }

  /// [b, 1] or [1, 1]
  at::Tensor offset_of(std::size_t term, Range block) const {
    const at::Tensor& all = offsets_[term];
    return request_.terms[term].query_offset.defined() ? all.narrow(0, block.begin, block.size()) : all;
  }

  const Rows& rows_;
  const PassRequest& request_;
  CandidateSweep candidates_;
  std::int64_t query_block_;
  std::optional<std::size_t> lead_;
  double base_scale_ = 1.0;
  at::Tensor queries_;  // [Q, d] times base_scale_
  at::Tensor bias_;     // [n] in the dtype of the queries, or undefined
  std::vector<at::Tensor> offsets_;
  at::Tensor scores_;
  at::Tensor spare_;
};

}  // namespace

BlockedPass::BlockedPass(std::int64_t query_block) : query_block_(query_block) {
  if (query_block < 1) throw std::invalid_argument("BlockedPass: the query block must be at least 1");
}

PassResult BlockedPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  Sweep sweep(rows, request, query_block_);
  // A rank whose share of the batch is empty still asks; tiles of no query have no maximum.
  if (request.candidates.queries.size(0) == 0) return empty_result(request);
  ReductionTree tree(request.terms);
  for (const Leaf& leaf : rows.leaves) {
    // Leaves keep their index when others are skipped, so the tree has the same shape whatever is filled.
    if (leaf.valid > 0) tree.push(leaf.index, sweep.score(leaf));
  }
  std::optional<PassResult> root = tree.finish();
  PassResult result = root ? *std::move(root) : empty_result(request);
  if (request.best > 0) result.best = exhaustive_best_keys(rows, request.candidates, SelectionOrder{}, request.best);
  return result;
}

}  // namespace negatron
