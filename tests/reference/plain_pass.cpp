#include "tests/reference/plain_pass.h"

#include <limits>

#include <torch/autograd.h>

#include "tests/reference/plain_selection.h"

namespace negatron::testing {
namespace {

at::Tensor shape_of(TermShape shape, const at::Tensor& scores, double scale, const at::Tensor& offset) {
  const at::Tensor u = scale * scores + offset;
  const at::Tensor distance = at::sqrt(at::clamp_min(2.0 - 2.0 * scores, kLeastSquaredDistance));
  switch (shape) {
    case TermShape::kOne:
      return at::ones_like(scores);
    case TermShape::kLinear:
      return u;
    case TermShape::kSoftplus:
      return at::logaddexp(u, at::zeros_like(u));
    case TermShape::kHinge:
      return at::relu(u);
    case TermShape::kStep:
      return (u > 0.0).to(at::kDouble);
    case TermShape::kSquare:
      return u * u;
    case TermShape::kMinusDistance:
      return offset - distance;
    case TermShape::kDistanceHinge:
      return at::relu(offset - distance);
    case TermShape::kDistanceHingeSquared:
      return at::relu(offset - distance).square() / 2.0;
    case TermShape::kDistanceStep:
      return (distance < offset).to(at::kDouble);
  }
  return {};
}

at::Tensor gradient_or_zero(const at::Tensor& value, const at::Tensor& input) {
  if (!value.requires_grad()) return at::zeros_like(input);
  const at::Tensor gradient = torch::autograd::grad({value}, {input}, {}, /*retain_graph=*/true,
                                                    /*create_graph=*/false, /*allow_unused=*/true)[0];
  return gradient.defined() ? gradient : at::zeros_like(input);
}

at::Tensor longs(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

}  // namespace

TermResult plain_term(const ScoreTerm& term, const at::Tensor& query, const at::Tensor& rows, const at::Tensor& bias,
                      std::int64_t index) {
  const at::AutoGradMode gradients(true);
  const at::Tensor q = query.detach().to(at::kDouble).clone().requires_grad_(true);
  at::Tensor offset = at::full({}, term.offset, at::kDouble);
  if (term.query_offset.defined()) offset = offset + term.query_offset[index].detach().to(at::kDouble);
  offset.requires_grad_(true);
  const at::Tensor scores = rows.mv(q);
  const at::Tensor g = shape_of(term.shape, scores, term.scale, offset);
  const at::Tensor logits = term.weight_scale * scores.detach() + bias;
  at::Tensor value;
  switch (term.reduction) {
    case Reduction::kLogSumExp:
      value = at::logsumexp(g + bias, 0);
      break;
    case Reduction::kSum:
      value = (bias.exp() * g).sum();
      break;
    case Reduction::kSoftmaxMean:
      value = (at::softmax(logits, 0) * g).sum();
      break;
  }
  TermResult result;
  result.value = value.detach();
  if (term.want_gradient) result.gradient = gradient_or_zero(value, q);
  if (term.want_slope) result.slope = gradient_or_zero(value, offset);
  if (term.reduction == Reduction::kSoftmaxMean) result.log_weight = at::logsumexp(logits, 0);
  return result;
}

PassResult PlainPass::run(const Rows& rows, const PassRequest& request) const {
  const PlainCandidates plain(rows, request.candidates);
  const at::Tensor vectors = rows.vectors.to(at::kDouble);
  const at::Tensor queries = request.candidates.queries.to(at::kDouble);
  const at::Tensor bias =
      request.bias.defined() ? request.bias.to(at::kDouble) : at::zeros({vectors.size(0)}, at::kDouble);

  PassResult result = empty_result(request);
  for (std::int64_t i = 0; i < queries.size(0); ++i) {
    std::vector<std::int64_t> candidates;
    std::vector<std::int64_t> positives;
    for (std::int64_t row = 0; row < vectors.size(0); ++row) {
      if (plain.is_candidate(i, row)) candidates.push_back(row);
      if (plain.is_positive(i, row)) positives.push_back(row);
    }
    for (std::size_t t = 0; t < request.terms.size(); ++t) {
      const ScoreTerm& term = request.terms[t];
      const std::vector<std::int64_t>& over = term.rows == TermRows::kPositives ? positives : candidates;
      if (over.empty()) continue;
      const at::Tensor own = longs(over);
      const TermResult one = plain_term(term, queries[i], vectors.index_select(0, own), bias.index_select(0, own), i);
      result.terms[t].value[i].copy_(one.value);
      if (term.want_gradient) result.terms[t].gradient[i].copy_(one.gradient);
      if (term.want_slope) result.terms[t].slope[i].copy_(one.slope);
      if (one.log_weight.defined()) result.terms[t].log_weight[i].copy_(one.log_weight);
    }
    result.count[i].fill_(static_cast<std::int64_t>(candidates.size()));
    if (request.want_max && !candidates.empty()) {
      result.max[i].copy_(vectors.index_select(0, longs(candidates)).mv(queries[i]).max());
    }
  }
  return result;
}

}  // namespace negatron::testing
