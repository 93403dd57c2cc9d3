#include "samplers/objectives/info_nce_in_batch.h"

#include "comm/share.h"
#include "samplers/objectives/batch_rows.h"
#include "samplers/objectives/exact_gradient.h"
#include "samplers/objectives/one_positive.h"
#include "samplers/pass/blocked_pass.h"
#include "samplers/pass/reduction_tree.h"

namespace negatron {

ObjectiveOutput InfoNceInBatch::compute(Communicator& comm, const ObjectiveInput& input) {
  check_objective_input(comm, input, needs_bank());
  const double scale = temperature_.scale();
  const double weight = 1.0 / static_cast<double>(input.global_batch);
  const std::vector<std::int64_t> shares = share_sizes(input.global_batch, comm.size());
  const Range own = share(input.global_batch, comm.size(), comm.rank());
  const at::Tensor queries = input.queries.detach().contiguous();
  const at::Tensor keys = input.keys.detach().contiguous();

  PassRequest request;
  request.queries = queries;
  request.scales = {scale};
  request.exclusions = consecutive_exclusions(own.size(), {own.begin});
  request.want_max = true;
  const BlockedPass pass;
  const PassResult batch = pass.run(batch_rows(comm.all_gather(keys, shares)), request);
  const Partial all = merge({input.negatives.log_sum_exp, input.negatives.mean}, {batch.log_sum_exp, batch.mean});
  const at::Tensor mean = all.mean[0];                   // [b, d]
  const at::Tensor positives = (queries * keys).sum(1);  // [b]
  const at::Tensor negatives = (queries * mean).sum(1);  // [b]
  const OnePositive softmax = one_positive(all.log_sum_exp[0], positives, scale);
  const at::Tensor pull = softmax.miss * (scale * weight);  // [b] pi / (tau Bg)

  std::vector<KnownGradient> gradients = {{input.queries, (mean - keys) * pull.unsqueeze(1)},
                                          {temperature_.log_scale(), (pull * (negatives - positives)).sum()}};
  if (key_gradient_) {
    request.queries = keys;
    request.bias = -comm.all_gather(softmax.total, shares);
    request.want_max = false;
    const PassResult columns = pass.run(batch_rows(comm.all_gather(queries, shares)), request);
    const at::Tensor push = columns.log_sum_exp[0].exp() * (scale * weight);  // [b]
    gradients.push_back({input.keys, columns.mean[0] * push.unsqueeze(1) - queries * pull.unsqueeze(1)});
  }

  ObjectiveOutput output;
  output.loss = with_known_gradients(softmax.loss.sum() * weight, gradients);
  output.positive_similarity = positives.sum();
  output.negative_similarity = negatives.sum();
  output.correct = (positives > at::maximum(input.negatives.max, batch.max)).sum();
  return output;
}

}  // namespace negatron
