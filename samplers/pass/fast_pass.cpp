#include "samplers/pass/fast_pass.h"

#include <cmath>
#include <optional>

#include "samplers/pass/fast_run.h"
#include "samplers/pass/kernel_choice.h"
#include "samplers/pass/plain_request.h"

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

}  // namespace

FastPass::FastPass(CpuIsa isa, std::int64_t query_block) : isa_(require_isa(isa)), otherwise_(query_block) {}

bool FastPass::serves(const Rows& rows, const PassRequest& request) {
  const at::Tensor& queries = request.candidates.queries;
  return rows.vectors.is_cpu() && queries.is_cpu() && queries.scalar_type() == at::kFloat &&
         format_of(rows.vectors.scalar_type()).has_value() && queries.numel() > 0 &&
         request.terms.size() <= kMostKernelTerms && is_plain_request(request) &&
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
