#include "samplers/objectives/info_nce.h"

#include "samplers/objectives/exact_gradient.h"
#include "samplers/objectives/one_positive.h"

namespace negatron {

ObjectiveOutput InfoNce::compute(Communicator& comm, const ObjectiveInput& input) {
  check_objective_input(comm, input, needs_bank());
  const double scale = temperature_.scale();
  const double weight = 1.0 / static_cast<double>(input.global_batch);
  const at::Tensor queries = input.queries.detach();
  const at::Tensor keys = input.keys.detach();
  const at::Tensor mean = input.negatives.mean[0];  // [b, d]

  const at::Tensor positives = (queries * keys).sum(1);  // [b]
  const at::Tensor negatives = (queries * mean).sum(1);  // [b]
  const OnePositive softmax = one_positive(input.negatives.log_sum_exp[0], positives, scale);
  const at::Tensor pull = softmax.miss * (scale * weight);  // [b] pi / (tau Bg)

  ObjectiveOutput output;
  output.loss = with_known_gradients(softmax.loss.sum() * weight,
                                     {{input.queries, (mean - keys) * pull.unsqueeze(1)},
                                      {temperature_.log_scale(), (pull * (negatives - positives)).sum()}});
  output.positive_similarity = positives.sum();
  output.negative_similarity = negatives.sum();
  output.correct = (positives > input.negatives.max).sum();
  return output;
}

}  // namespace negatron
