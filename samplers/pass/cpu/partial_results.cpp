#include "samplers/pass/cpu/partial_results.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace negatron {

PartialShape partial_shape(const PassRequest& request, std::int64_t width) {
  PartialShape shape;
  shape.width = width;
  shape.terms = static_cast<int>(request.terms.size());
  // The largest score first; then for each term the reference, the mass, and d sums where a gradient is wanted.
  shape.size = 1;
  for (int term = 0; term < shape.terms; ++term) {
    shape.sums[term] = request.terms[static_cast<std::size_t>(term)].want_gradient;
    shape.term_size[term] = 2 + (shape.sums[term] ? width : 0);
    shape.size += shape.term_size[term];
  }
  return shape;
}

PartialResults::PartialResults(const PassRequest& request, const PassKernel& kernel, const PartialShape& shape)
    : request_(request), kernel_(kernel), shape_(shape), result_(empty_result(request)) {
  const at::Tensor& queries = request.candidates.queries;
  for (const ScoreTerm& term : request.terms) {
    offsets_.push_back(term_offset(term, queries).squeeze(1).expand({queries.size(0)}).contiguous());
  }
}

void PartialResults::fill(Range queries, const float* partial) {
  const std::int64_t group = kernel_.lanes * kernel_.vectors;
  for (std::int64_t first = queries.begin; first < queries.end; first += group) {
    const Range own{first, std::min(first + group, queries.end)};
    // The last group may be smaller: it is padded to whole vectors only, and its panel is [size][g] with that g.
    const std::int64_t g = (own.size() + kernel_.lanes - 1) / kernel_.lanes * kernel_.lanes;
    fill_group(own, g, partial);
    partial += g * shape_.size;
  }
}

void PartialResults::fill_group(Range queries, std::int64_t g, const float* partial) {
  if (result_.max.defined()) std::copy_n(partial, queries.size(), result_.max.data_ptr<float>() + queries.begin);
  const float* reference = partial + g;
  for (std::size_t t = 0; t < request_.terms.size(); ++t) {
    const ScoreTerm& term = request_.terms[t];
    TermResult& own = result_.terms[t];
    const float* mass = reference + g;
    const float* sums = mass + g;
    for (std::int64_t lane = 0; lane < queries.size(); ++lane) {
      if (mass[lane] == 0.0f) continue;  // over no row, as it stands
      const std::int64_t q = queries.begin + lane;
      // Weights are 2^(x - reference), so the log-sum-exp to base 2 is reference + log2(mass). Reference 14 and mass
      // 1.5 make 14.585, times ln 2 10.109. In fp64, because a large reference would take the digits of the small
      // summand.
      const double log2_mass = static_cast<double>(reference[lane]) + std::log2(static_cast<double>(mass[lane]));
      const float offset = offsets_[t].const_data_ptr<float>()[q];
      own.value.data_ptr<float>()[q] = static_cast<float>(log2_mass * std::numbers::ln2 + offset);
      if (term.want_slope) own.slope.data_ptr<float>()[q] = 1.0f;
      if (!term.want_gradient) continue;
      // c O: the reference cancels between sums and mass.
      const auto factor = static_cast<float>(term.scale / mass[lane]);
      float* gradient = own.gradient.data_ptr<float>() + q * shape_.width;
      for (std::int64_t i = 0; i < shape_.width; ++i) gradient[i] = sums[i * g + lane] * factor;
    }
    reference += shape_.term_size[t] * g;
  }
}

PassResult PartialResults::take(at::Tensor count) {
  result_.count = std::move(count);
  return std::move(result_);
}

}  // namespace negatron
