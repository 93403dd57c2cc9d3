#include "samplers/pass/cuda_pass.h"

#include <limits>
#include <stdexcept>
#include <utility>

#include <c10/core/DeviceGuard.h>

#include "samplers/pass/attention_pass.h"
#include "samplers/pass/cuda/cuda_run.h"
#include "samplers/pass/cuda/scan_shape.h"
#include "samplers/pass/plain_request.h"
#include "samplers/pass/query_panels.h"
#include "samplers/pass/selection.h"

namespace negatron {
namespace {

/// Row and query numbers are 32 bits wide there, also those of a tile that ends beyond the last.
constexpr std::int64_t kMostCounted = std::numeric_limits<std::int32_t>::max() / 2;

bool has_shape(const ScanDevice& device, const at::Tensor& vectors, const PassRequest& request) {
  bool fits = false;
  with_scan_shape(vectors.size(1), static_cast<int>(request.terms.size()), [&]<class Shape>(Shape) {
    fits = Shape::shared_bytes(CudaRun::kMostQueryParts) <= device.shared_bytes();
  });
  return fits;
}

}  // namespace

CudaPass::CudaPass(std::int64_t query_block) : CudaPass(query_block, cuda_scan_device()) {
  // The GPUs of a process stay the same.
  static const auto check = std::make_shared<KernelCheck>();
  check_ = check;
}

CudaPass::CudaPass(std::int64_t query_block, std::shared_ptr<const ScanDevice> device)
    : device_(std::move(device)), check_(std::make_shared<KernelCheck>()), otherwise_(query_block) {}

bool CudaPass::serves(const Rows& rows, const PassRequest& request) const {
  const at::Tensor& queries = request.candidates.queries;
  return device_ != nullptr && rows.vectors.device().type() == device_->type() &&
         queries.device() == rows.vectors.device() && queries.scalar_type() == at::kFloat &&
         rows.vectors.scalar_type() == at::kBFloat16 && queries.numel() > 0 && rows.vectors.size(0) > 0 &&
         queries.size(0) <= kMostCounted && rows.vectors.size(0) <= kMostCounted && is_plain_request(request) &&
         has_shape(*device_, rows.vectors, request);
}

bool CudaPass::uses_kernel(const Rows& rows, const PassRequest& request) const {
  return serves(rows, request) && check_->passes(*device_, rows.vectors.device(), rows.vectors.size(1),
                                                 static_cast<int>(request.terms.size()), largest_scale(request.terms));
}

PassResult CudaPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  const c10::DeviceGuard own_device(rows.vectors.device());
  if (request.best > 0) {
    PassRequest terms = request;
    terms.best = 0;
    PassResult result = run(rows, terms);
    result.best = best_keys(rows, request.candidates, SelectionOrder{}, request.best);
    return result;
  }
  if (AttentionPass::serves(rows, request)) return AttentionPass().run(rows, request);
  if (uses_kernel(rows, request)) return CudaRun(*device_, rows, request).run();
  return otherwise_.run(rows, request);
}

PassResult CudaPass::run_filtered(const Rows& rows, const PassRequest& request, const at::Tensor& thresholds,
                                  std::int64_t capacity, FilteredRows& filtered) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  const c10::DeviceGuard own_device(rows.vectors.device());
  if (!serves(rows, request)) throw std::invalid_argument("CudaPass: no kernel filters rows of such a request");
  const at::Tensor& queries = request.candidates.queries;
  if (thresholds.dim() != 1 || thresholds.size(0) != queries.size(0) || thresholds.scalar_type() != at::kFloat ||
      thresholds.device() != queries.device()) {
    throw std::invalid_argument("CudaPass: thresholds must be fp32 and [Q], where the queries are");
  }
  if (capacity < 1 || capacity > kMostCounted) throw std::invalid_argument("CudaPass: the capacity must be at least 1");
  CudaRun run(*device_, rows, request);
  run.filter(thresholds, capacity, filtered);
  return run.run();
}

}  // namespace negatron
