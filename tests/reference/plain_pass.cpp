#include "tests/reference/plain_pass.h"

#include <limits>

namespace negatron::testing {

PassResult PlainPass::run(const Rows& rows, const PassRequest& request) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const at::Tensor vectors = rows.vectors.to(at::kDouble);
  const at::Tensor queries = request.queries.to(at::kDouble);
  at::Tensor allowed = at::ones({queries.size(0), vectors.size(0)}, at::kBool);
  if (rows.validity.defined()) allowed.logical_and_((rows.validity == 0).unsqueeze(0));
  if (request.exclusions.defined()) {
    for (std::int64_t i = 0; i < request.exclusions.size(0); ++i) {
      allowed[request.exclusions[i][0].item<std::int64_t>()][request.exclusions[i][1].item<std::int64_t>()] = false;
    }
  }
  const at::Tensor scores = queries.mm(vectors.t());
  const at::Tensor bias = request.bias.defined() ? request.bias.to(at::kDouble) : at::zeros({1}, at::kDouble);

  PassResult result;
  std::vector<at::Tensor> log_sum_exps;
  std::vector<at::Tensor> means;
  for (const double scale : request.scales) {
    const at::Tensor logits = (scores * scale + bias).masked_fill(~allowed, -kInfinity);
    log_sum_exps.push_back(logits.logsumexp(1));
    const at::Tensor weights = (logits - log_sum_exps.back().unsqueeze(1)).exp().masked_fill(~allowed, 0.0);
    means.push_back(weights.mm(vectors));
  }
  result.log_sum_exp = at::stack(log_sum_exps).to(request.queries.scalar_type());
  result.mean = at::stack(means).to(request.queries.scalar_type());
  result.count = allowed.sum(1);
  if (request.want_max) {
    const at::Tensor masked =
        at::cat({scores.masked_fill(~allowed, -kInfinity), at::full({queries.size(0), 1}, -kInfinity, at::kDouble)}, 1);
    result.max = masked.amax(1).to(request.queries.scalar_type());
  }
  return result;
}

}  // namespace negatron::testing
