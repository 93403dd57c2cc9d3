#include "samplers/pass/cpu/fast_pass.h"

#include <cmath>
#include <limits>
#include <optional>

#include <ATen/core/grad_mode.h>

#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/candidates.h"
#include "samplers/pass/cpu/fast_run.h"
#include "samplers/pass/cpu/kernel_choice.h"
#include "samplers/pass/pass.h"

namespace negatron {
namespace {

std::optional<RowFormat> format_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return RowFormat::kFp32;
    case at::kBFloat16:
      return RowFormat::kBf16;
    case at::kHalf:
      return RowFormat::kFp16;
    default:
      return std::nullopt;
  }
}

/// Lists of best rows hold rows as int32.
bool best_serves(const Rows& rows) {
  return !rows.order_factors.defined() && rows.vectors.size(0) <= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

FastPass::FastPass(CpuIsa isa, std::int64_t query_block) : isa_(require_isa(isa)), otherwise_(query_block) {}

bool FastPass::serves(const Rows& rows, const PassRequest& request) {
  const at::Tensor& queries = request.candidates.queries;
  // The sum of all queries is finite only if each number is; a sum that overflows sends sound queries to the slower
  // pass, which does no harm. It comes last because it reads them all.
  return rows.vectors.is_cpu() && queries.is_cpu() && queries.scalar_type() == at::kFloat &&
         format_of(rows.vectors.scalar_type()).has_value() && queries.numel() > 0 &&
         request.terms.size() <= kMostKernelTerms && is_plain_request(request) &&
         (request.best == 0 || best_serves(rows)) && std::isfinite(queries.detach().sum().item<float>());
}

PassResult FastPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  if (!serves(rows, request)) return pass_on(rows, request);
  const RowFormat format = *format_of(rows.vectors.scalar_type());
  FastRun run(pass_kernel(isa_, format), format, rows, request);
  PassResult result = run.run();
  // The scan certifies each query by itself, so only those that it could not certify are searched again.
  if (request.best > 0 && run.open_queries().numel() > 0) settle(run.open_queries(), rows, request, result);
  return result;
}

at::Tensor FastPass::best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                          std::int64_t m) const {
  check_selection(rows, candidates, order, m);
  const PassRequest request = best_request(candidates, m);
  if (order.by == SelectionOrder::By::kScore && serves(rows, request)) return run(rows, request).best;
  return exhaustive_best_keys(rows, candidates, order, m);
}

/// Best rows do not follow terms that no kernel serves: those alone it may serve.
PassResult FastPass::pass_on(const Rows& rows, const PassRequest& request) const {
  PassRequest terms = request;
  terms.best = 0;
  PassResult result = otherwise_.run(rows, terms);
  if (request.best > 0) result.best = best(rows, request.candidates, SelectionOrder{}, request.best);
  return result;
}

/// The best rows of queries [any] that the kernel left open.
void FastPass::settle(const at::Tensor& open, const Rows& rows, const PassRequest& request, PassResult& result) const {
  const PassRequest rest = best_request(select_queries(request.candidates, open), request.best);
  // Each step is finer than the last: bf16, then fp32, whose own open queries come here once more, then fp64 over all
  // rows, which leaves nothing open.
  const bool in_bf16 = pass_kernel(isa_, *format_of(rows.vectors.scalar_type())).pairs;
  result.best.index_copy_(0, open,
                          in_bf16 ? FastPass(CpuIsa::kAvx512).run(rows, rest).best
                                  : exhaustive_best_keys(rows, rest.candidates, SelectionOrder{}, rest.best));
}

}  // namespace negatron
