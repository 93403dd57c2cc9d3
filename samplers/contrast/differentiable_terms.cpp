#include "samplers/contrast/differentiable_terms.h"

#include <stdexcept>

#include <torch/autograd.h>

namespace negatron {
namespace {

/// value [A] as a function of one input, of which derivative says how each value depends on it: [A, d] for vectors
/// [A, d], [A] for numbers [A] or for one scalar.
class TermFunction : public torch::autograd::Function<TermFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& value,
                            const at::Tensor& derivative) {
    context->save_for_backward({derivative});
    context->saved_data["scalar"] = input.dim() == 0;
    context->saved_data["dtype"] = static_cast<std::int64_t>(input.scalar_type());
    // An output that is an input itself would be taken for a view of it.
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list arriving) {
    const at::Tensor derivative = context->get_saved_variables().front();
    const at::Tensor& weight = arriving.front();  // [A]
    at::Tensor gradient = derivative * (derivative.dim() == 2 ? weight.unsqueeze(1) : weight);
    // One parameter that moves all anchors' values.
    if (context->saved_data["scalar"].toBool()) gradient = gradient.sum();
    const auto dtype = static_cast<at::ScalarType>(context->saved_data["dtype"].toInt());
    return {gradient.to(dtype), at::Tensor(), at::Tensor()};
  }
};

bool takes_gradient(const at::Tensor& tensor) {
  return tensor.defined() && tensor.requires_grad();
}

}  // namespace

std::vector<ScoreTerm> plain_terms(const std::vector<ObjectiveTerm>& terms) {
  std::vector<ScoreTerm> plain;
  for (const ObjectiveTerm& objective_term : terms) {
    plain.push_back(objective_term.term);
    if (plain.back().query_offset.defined()) plain.back().query_offset = plain.back().query_offset.detach();
  }
  return plain;
}

std::vector<at::Tensor> differentiable_terms(const at::Tensor& anchors, const std::vector<ObjectiveTerm>& terms,
                                             const std::vector<TermResult>& results) {
  std::vector<at::Tensor> values;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const ScoreTerm& term = terms[i].term;
    const TermResult& result = results[i];
    // One function an input: each but the first adds zeros, and minus infinity stays what it is.
    at::Tensor value = term.want_gradient ? TermFunction::apply(anchors, result.value, result.gradient) : result.value;
    if (takes_gradient(term.query_offset)) {
      if (!term.want_slope) throw std::logic_error("an offset with gradient needs the term's slope: want_slope");
      value = value + TermFunction::apply(term.query_offset, at::zeros_like(result.value), result.slope);
    }
    if (takes_gradient(terms[i].log_scale) && term.want_gradient) {
      const at::Tensor by_log_scale = (anchors.detach() * result.gradient).sum(1);
      value = value + TermFunction::apply(terms[i].log_scale, at::zeros_like(result.value), by_log_scale);
    }
    values.push_back(value);
  }
  return values;
}

}  // namespace negatron
