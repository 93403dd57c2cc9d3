#include "samplers/pass/blocked_pass.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "samplers/pass/exclusion_list.h"
#include "samplers/pass/reduction_tree.h"

namespace negatron {
namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

/// Turns a tile of scaled and masked scores [Q, n] into weights exp(score - shift), in place, and returns what they add
/// up to: l into `log_sum_exp` [Q], O into `mean` [Q, d]. `peak` [Q, 1] is the largest score of each query.
void soften(at::Tensor& scores, const at::Tensor& peak, const at::Tensor& tile, at::Tensor log_sum_exp,
            at::Tensor mean) {
  // A query that meets no row of the tile has the peak -infinity; shifting by it would give NaN.
  const at::Tensor shift = peak.masked_fill(peak == kMasked, 0.0);
  scores.sub_(shift).exp_();
  const at::Tensor mass = scores.sum(1, true);  // [Q, 1]
  at::mm_out(mean, scores, tile);
  mean.div_(mass.masked_fill(mass == 0.0, 1.0));
  log_sum_exp.copy_((shift + mass.log()).squeeze(1));
}

/// One run's buffers and operands.
class Sweep {
 public:
  Sweep(const Rows& rows, const PassRequest& request, std::int64_t query_block)
      : rows_(rows),
        request_(request),
        query_block_(std::min(query_block, request.queries.size(0))),
        queries_(request.queries.detach() * request.scales.front()),
        exclusions_(request.exclusions) {
    std::int64_t largest = 0;
    for (const Leaf& leaf : rows.leaves) largest = std::max(largest, leaf.size());
    for (std::size_t scale = 0; scale < request.scales.size(); ++scale) {
      buffers_.push_back(at::empty({query_block_ * largest}, queries_.options()));
    }
  }

  /// Adds what the leaf holds to `max` [Q] (when wanted) and returns its partial.
  Partial score(const Leaf& leaf, at::Tensor& max) {
    const std::int64_t count = queries_.size(0);
    const auto scales = static_cast<std::int64_t>(request_.scales.size());
    Partial partial{at::empty({scales, count}, queries_.options()),
                    at::empty({scales, count, queries_.size(1)}, queries_.options())};
    const at::Tensor tile = rows_.vectors.narrow(0, leaf.begin, leaf.size()).to(queries_.scalar_type());  // [n, d]
    for (std::int64_t begin = 0; begin < count; begin += query_block_) {
      score_block(leaf, tile, {begin, std::min(begin + query_block_, count)}, partial, max);
    }
    return partial;
  }

  at::Tensor excluded() const { return exclusions_.count(queries_.size(0)); }

 private:
  void score_block(const Leaf& leaf, const at::Tensor& tile, Range block, Partial& partial, at::Tensor& max) {
    std::vector<at::Tensor> scores;  // [block, leaf] for each scale
    for (const at::Tensor& buffer : buffers_) {
      scores.push_back(buffer.narrow(0, 0, block.size() * leaf.size()).view({block.size(), leaf.size()}));
    }
    at::mm_out(scores.front(), queries_.narrow(0, block.begin, block.size()), tile.t());
    const double first_scale = request_.scales.front();
    // Before masks: a second scale of 0 must not meet an infinity.
    if (scores.size() == 2) {
      at::mul_out(scores[1], scores[0], at::scalar_tensor(request_.scales[1] / first_scale, queries_.options()));
    }
    for (std::size_t scale = 0; scale < scores.size(); ++scale) {
      const auto at_scale = static_cast<std::int64_t>(scale);
      mask(scores[scale], leaf, block);
      at::Tensor peak = scores[scale].amax(1, true);
      if (scale == 0 && request_.want_max) {
        at::Tensor own = max.narrow(0, block.begin, block.size());
        at::maximum_out(own, own, peak.squeeze(1) / first_scale);
      }
      if (request_.bias.defined()) {
        scores[scale].add_(request_.bias.narrow(0, leaf.begin, leaf.size()));
        peak = scores[scale].amax(1, true);
      }
      soften(scores[scale], peak, tile, partial.log_sum_exp[at_scale].narrow(0, block.begin, block.size()),
             partial.mean[at_scale].narrow(0, block.begin, block.size()));
    }
  }

  void mask(at::Tensor& scores, const Leaf& leaf, Range block) const {
    if (leaf.valid < leaf.size()) scores.add_(rows_.validity.narrow(0, leaf.begin, leaf.size()));
    exclusions_.mask(scores, block, {leaf.begin, leaf.end});
  }

  const Rows& rows_;
  const PassRequest& request_;
  std::int64_t query_block_;
  at::Tensor queries_;  // [Q, d], times the first scale
  ExclusionList exclusions_;
  std::vector<at::Tensor> buffers_;
};

}  // namespace

BlockedPass::BlockedPass(std::int64_t query_block) : query_block_(query_block) {
  if (query_block < 1) throw std::invalid_argument("BlockedPass: the query block must be at least 1");
}

PassResult BlockedPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  const at::Tensor& queries = request.queries;
  const std::int64_t count = queries.size(0);
  const auto scales = static_cast<std::int64_t>(request.scales.size());

  PassResult result;
  if (request.want_max) result.max = at::full({count}, kMasked, queries.options());
  Sweep sweep(rows, request, query_block_);
  ReductionTree tree;
  std::int64_t valid = 0;
  if (count > 0) {
    for (const Leaf& leaf : rows.leaves) {
      if (leaf.valid == 0) continue;
      valid += leaf.valid;
      tree.push(leaf.index, sweep.score(leaf, result.max));
    }
  }
  result.count = (valid - sweep.excluded()).to(queries.device());
  if (std::optional<Partial> root = tree.finish()) {
    result.log_sum_exp = root->log_sum_exp;
    result.mean = root->mean;
  } else {
    result.log_sum_exp = at::full({scales, count}, kMasked, queries.options());
    result.mean = at::zeros({scales, count, queries.size(1)}, queries.options());
  }
  return result;
}

}  // namespace negatron
