#include "samplers/pass/fast_pass.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "samplers/pass/fast_run.h"
#include "samplers/pass/kernel_choice.h"

namespace negatron {
namespace {

/// Logits beyond 2^23 are not what kernels are made for; scores of unit rows stay below with this scale.
constexpr double kLargestScale = 1e6;

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

}  // namespace

FastPass::FastPass(CpuIsa isa, std::int64_t query_block) : isa_(require_isa(isa)), otherwise_(query_block) {}

bool FastPass::serves(const Rows& rows, const PassRequest& request) {
  const Candidates& candidates = request.candidates;
  const at::Tensor& queries = candidates.queries;
  return rows.vectors.is_cpu() && queries.is_cpu() && queries.scalar_type() == at::kFloat &&
         format_of(rows.vectors.scalar_type()).has_value() && queries.numel() > 0 && !request.terms.empty() &&
         request.terms.size() <= kMostKernelTerms &&
         std::all_of(request.terms.begin(), request.terms.end(), is_plain) &&
         largest_scale(request.terms) <= kLargestScale && candidates.label_rule == LabelRule::kAny &&
         candidates.windows.empty() && candidates.positive_rule == PositiveRule::kNone &&
         std::isfinite(queries.detach().sum().item<float>());
}

PassResult FastPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  if (!serves(rows, request)) return otherwise_.run(rows, request);
  const RowFormat format = *format_of(rows.vectors.scalar_type());
  return FastRun(pass_kernel(isa_, format), format, rows, request).run();
}

}  // namespace negatron
