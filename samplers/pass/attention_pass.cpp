#include "samplers/pass/attention_pass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tuple>

#include <ATen/core/grad_mode.h>

#include "samplers/pass/pass.h"

namespace negatron {
namespace {

/// What ATen's CUDA operator takes.
constexpr std::int64_t kMostFlashWidth = 256;
constexpr std::int64_t kFlashWidthStep = 8;

bool is_half(at::ScalarType type) {
  return type == at::kBFloat16 || type == at::kHalf;
}

/// A request that the operator refuses would only fail at run time, so what it takes is known beforehand.
bool operator_takes(const at::Tensor& vectors) {
  if (vectors.is_cpu()) return true;
  return vectors.is_cuda() && is_half(vectors.scalar_type()) && vectors.size(1) <= kMostFlashWidth &&
         vectors.size(1) % kFlashWidthStep == 0;
}

bool scale_fits(const ScoreTerm& term, const Rows& rows) {
  // ATen takes the maximum before it scales, so the scale must be above 0.
  if (!(term.scale > 0.0)) return false;
  // Queries are rounded to the type of the rows, and what would need two parts of bf16 would show it.
  return !is_half(rows.vectors.scalar_type()) || query_parts(term.scale, rows.vectors.size(1), rows.length) == 1;
}

struct Attention {
  at::Tensor mean;         // [1, 1, Q, d]
  at::Tensor log_sum_exp;  // [1, 1, Q]
};

/// queries [1, 1, Q, d], rows [1, 1, n, d]
/// Attention of one batch and one head whose keys and values are both the rows: `mean` is O of FORMULAS.md 1, and the
/// log-sum-exp is l without its offset.
Attention attend(const at::Tensor& queries, const at::Tensor& rows, double scale) {
  if (rows.is_cpu()) {
    auto [mean, value] = at::_scaled_dot_product_flash_attention_for_cpu(queries, rows, rows, /*dropout_p=*/0.0,
                                                                         /*is_causal=*/false, {}, scale);
    return {mean, value};
  }
  const auto all = at::_scaled_dot_product_flash_attention(queries, rows, rows, /*dropout_p=*/0.0, /*is_causal=*/false,
                                                           /*return_debug_mask=*/false, scale);
  return {std::get<0>(all), std::get<1>(all)};
}

}  // namespace

bool AttentionPass::serves(const Rows& rows, const PassRequest& request) {
  const at::Tensor& queries = request.candidates.queries;
  const at::Tensor& exclusions = request.candidates.exclusions;
  const auto fits = [&](const ScoreTerm& term) { return scale_fits(term, rows); };
  return is_plain_request(request) && (!request.want_max || request.may_skip_max) && !request.bias.defined() &&
         !rows.validity.defined() && (!exclusions.defined() || exclusions.size(0) == 0) && queries.numel() > 0 &&
         rows.vectors.numel() > 0 && queries.device() == rows.vectors.device() && operator_takes(rows.vectors) &&
         std::all_of(request.terms.begin(), request.terms.end(), fits);
}

PassResult AttentionPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  if (!serves(rows, request)) throw std::invalid_argument("AttentionPass: not a request that attention serves");
  const at::Tensor queries = request.candidates.queries.detach();
  const auto as_heads = [](const at::Tensor& x) { return x.unsqueeze(0).unsqueeze(0); };
  // One sweep a term, as the operator takes one scale.
  const at::Tensor vectors = as_heads(rows.vectors.detach().contiguous());
  const at::Tensor rounded = as_heads(queries.to(vectors.scalar_type()).contiguous());
  PassResult result = empty_result(request);
  for (std::size_t i = 0; i < request.terms.size(); ++i) {
    const ScoreTerm& term = request.terms[i];
    TermResult& own = result.terms[i];
    const Attention attention = attend(rounded, vectors, term.scale);
    // The offset is the same for all rows of a query: it moves l and cancels in the weights.
    own.value = attention.log_sum_exp.flatten().to(queries.scalar_type()) + term_offset(term, queries).squeeze(1);
    if (term.want_gradient) {
      own.gradient = attention.mean.squeeze(0).squeeze(0).to(queries.scalar_type()) * term.scale;
    }
    // l moves with its offset one to one, as there is a row.
    if (term.want_slope) own.slope.fill_(1.0);
  }
  result.count.fill_(rows.vectors.size(0));
  if (request.want_max) result.max.fill_(std::numeric_limits<double>::quiet_NaN());
  return result;
}

}  // namespace negatron
