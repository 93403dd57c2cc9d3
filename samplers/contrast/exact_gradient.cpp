#include "samplers/contrast/exact_gradient.h"

#include <optional>

#include <torch/autograd.h>

namespace negatron {
namespace {

class KnownGradientFunction : public torch::autograd::Function<KnownGradientFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& value,
                            const at::Tensor& gradient) {
    static_cast<void>(input);
    context->save_for_backward({gradient});
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list arriving) {
    return {context->get_saved_variables().front() * arriving.front(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

std::vector<at::Tensor> gradients_of(const at::Tensor& value, const std::vector<at::Tensor>& inputs) {
  torch::autograd::variable_list asked;
  for (const at::Tensor& input : inputs) {
    if (input.requires_grad()) asked.push_back(input);
  }
  const torch::autograd::variable_list found = torch::autograd::grad({value}, asked, {}, std::nullopt, false, true);
  auto next = found.begin();
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& input : inputs) {
    // Undefined where the value does not depend on the input, as on the keys where no negative and no positive reads
    // them.
    const at::Tensor gradient = input.requires_grad() ? *next++ : at::Tensor();
    gradients.push_back(gradient.defined() ? gradient : at::zeros_like(input));
  }
  return gradients;
}

at::Tensor with_known_gradients(const at::Tensor& value, const std::vector<KnownGradient>& gradients) {
  at::Tensor result = value.detach();
  for (const KnownGradient& known : gradients) {
    if (!known.input.defined() || !known.input.requires_grad()) continue;
    // Each input adds a term whose value is zero: one function of one input serves any number of them.
    result = result + KnownGradientFunction::apply(known.input, at::zeros_like(value), known.gradient.detach());
  }
  return result;
}

}  // namespace negatron
