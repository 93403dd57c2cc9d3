#include "samplers/pass/score_shares.h"

#include <limits>

namespace negatron {
namespace {

/// Of a query that met no row: nothing is left of what is divided by it.
constexpr double kNoShare = std::numeric_limits<double>::infinity();

at::Tensor normaliser(const ScoreTerm& term, const TermResult& result) {
  if (term.reduction == Reduction::kSum) return at::zeros_like(result.value);
  const at::Tensor& log_mass = term.reduction == Reduction::kLogSumExp ? result.value : result.log_weight;
  return log_mass.masked_fill(log_mass == -kNoShare, kNoShare);
}

}  // namespace

at::Tensor share_numbers(const std::vector<TermShare>& shares, at::ScalarType type) {
  std::vector<at::Tensor> numbers;
  for (const TermShare& share : shares) {
    const at::Tensor& value = share.result.value;
    at::Tensor offset = at::full_like(value, share.term.offset);
    if (share.term.query_offset.defined()) offset = offset + share.term.query_offset.detach();
    const at::Tensor by_term = share.by_term.defined() ? share.by_term : at::zeros_like(value);
    for (const at::Tensor& number : {by_term, normaliser(share.term, share.result), offset}) {
      numbers.push_back(number.to(type));
    }
  }
  return at::stack(numbers, 1).view({-1, static_cast<std::int64_t>(shares.size()), kShareNumbers});
}

at::Tensor by_score(const ScoreTerm& term, const at::Tensor& scores, const at::Tensor& numbers,
                    const at::Tensor& bias) {
  const auto number = [&](std::int64_t which) { return numbers.select(-1, which); };
  const Summands summand = summands(term, scores, number(2));
  const at::Tensor slope = summand.by_score * number(0);
  if (term.reduction == Reduction::kSum) return bias.defined() ? slope * bias.exp() : slope;
  at::Tensor exponent = term.reduction == Reduction::kLogSumExp ? summand.value : scores * term.weight_scale;
  if (bias.defined()) exponent = exponent + bias;
  return slope * (exponent - number(1)).exp();
}

}  // namespace negatron
