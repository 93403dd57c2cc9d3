#include "samplers/objectives/nt_xent.h"

#include "comm/share.h"
#include "samplers/objectives/batch_rows.h"
#include "samplers/objectives/exact_gradient.h"
#include "samplers/objectives/one_positive.h"
#include "samplers/pass/blocked_pass.h"

namespace negatron {
namespace {

/// Gathers what belongs to own anchors [2 b, ...], queries then keys, into the order of all: [2 Bg, ...].
at::Tensor gather_anchors(Communicator& comm, const at::Tensor& own, at::IntArrayRef shares) {
  const at::Tensor paired = at::stack(own.chunk(2), 1);  // [b, 2, ...]
  return comm.all_gather(paired, shares).transpose(0, 1).flatten(0, 1);
}

}  // namespace

ObjectiveOutput NtXent::compute(Communicator& comm, const ObjectiveInput& input) {
  check_objective_input(comm, input, needs_bank());
  const double scale = temperature_.scale();
  const double weight = 1.0 / static_cast<double>(2 * input.global_batch);
  const std::vector<std::int64_t> shares = share_sizes(input.global_batch, comm.size());
  const Range own = share(input.global_batch, comm.size(), comm.rank());

  const at::Tensor queries = input.queries.detach();
  const at::Tensor keys = input.keys.detach();
  const at::Tensor anchors = at::cat({queries, keys});   // [2 b, d]
  const at::Tensor partners = at::cat({keys, queries});  // [2 b, d]
  const Rows views = batch_rows(gather_anchors(comm, anchors, shares));

  // A query's row and its partner's lie at begin + i and Bg + begin + i, and the same two belong to the key.
  const at::Tensor pairs = consecutive_exclusions(own.size(), {own.begin, input.global_batch + own.begin});
  PassRequest request;
  request.queries = anchors;
  request.scales = {scale};
  request.exclusions = at::cat({pairs, pairs + at::tensor({own.size(), std::int64_t{0}}, at::kLong)});
  request.want_max = true;
  const BlockedPass pass;
  const PassResult rows = pass.run(views, request);
  const at::Tensor mean = rows.mean[0];                      // [2 b, d]
  const at::Tensor positives = (anchors * partners).sum(1);  // [2 b]
  const at::Tensor negatives = (anchors * mean).sum(1);      // [2 b]
  const OnePositive softmax = one_positive(rows.log_sum_exp[0], positives, scale);

  request.bias = -gather_anchors(comm, softmax.total, shares);
  request.want_max = false;
  const PassResult columns = pass.run(views, request);
  const auto swap_sides = [](const at::Tensor& values) { return values.roll(values.size(0) / 2, 0); };
  const at::Tensor gradient = softmax.miss.unsqueeze(1) * (mean - partners) +
                              columns.log_sum_exp[0].exp().unsqueeze(1) * columns.mean[0] -
                              swap_sides(softmax.miss).unsqueeze(1) * partners;  // [2 b, d], times 2 Bg / c

  const auto sides = (gradient * (scale * weight)).chunk(2);
  const at::Tensor scale_gradient = (softmax.miss * (negatives - positives)).sum() * (scale * weight);
  ObjectiveOutput output;
  output.loss = with_known_gradients(
      softmax.loss.sum() * weight,
      {{input.queries, sides[0]}, {input.keys, sides[1]}, {temperature_.log_scale(), scale_gradient}});
  const auto of_queries = [&](const at::Tensor& values) { return values.narrow(0, 0, own.size()).sum(); };
  output.positive_similarity = of_queries(positives);
  output.negative_similarity = of_queries(negatives);
  output.correct = of_queries(positives > rows.max);
  return output;
}

}  // namespace negatron
