#include "samplers/pass/cuda/cuda_pass.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <c10/core/DeviceGuard.h>

#include "samplers/pass/attention_pass.h"
#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/candidate_tile.h"
#include "samplers/pass/candidates.h"
#include "samplers/pass/cuda/cuda_run.h"
#include "samplers/pass/cuda/scan_shape.h"
#include "samplers/pass/pass.h"

namespace negatron {
namespace {

/// Row and query numbers are 32 bits wide there, also those of a tile that ends beyond the last.
constexpr std::int64_t kMostCounted = std::numeric_limits<std::int32_t>::max() / 2;

/// Best rows alone take a scan with one term.
int kernel_terms(const PassRequest& request) {
  return std::max(1, static_cast<int>(request.terms.size()));
}

bool has_shape(const ScanDevice& device, const at::Tensor& vectors, const PassRequest& request) {
  bool fits = false;
  with_scan_shape(vectors.size(1), kernel_terms(request), [&]<class Shape>(Shape) {
    // With room for both parts, whatever this request needs: queries that stay open are searched again in two.
    fits = Shape::shared_bytes(CudaRun::kMostQueryParts) <= device.shared_bytes();
  });
  return fits;
}

/// Of the unit rows that kernels serve.
int parts_of(const PassRequest& request) {
  return query_parts(largest_scale(request.terms), request.candidates.queries.size(1), RowLength::kUnit);
}

/// Milliseconds. The first runs also load the kernels, and get memory that later ones find in the cache.
double median_time(const ScanDevice& device, const std::function<void()>& work) {
  constexpr std::size_t kWarmUp = 2;
  constexpr std::size_t kRuns = 5;
  std::array<double, kRuns> times{};
  for (std::size_t run = 0; run < kWarmUp + kRuns; ++run) {
    const double time = time_in_trial(device, work);
    if (run >= kWarmUp) times[run - kWarmUp] = time;
  }
  std::sort(times.begin(), times.end());
  return times[kRuns / 2];
}

}  // namespace

CudaPass::CudaPass(std::int64_t query_block) : CudaPass(query_block, cuda_scan_device()) {
  // The GPUs of a process stay the same.
  static const auto check = std::make_shared<ScanTrial>();
  check_ = check;
}

CudaPass::CudaPass(std::int64_t query_block, std::shared_ptr<const ScanDevice> device)
    : device_(std::move(device)), check_(std::make_shared<ScanTrial>()), otherwise_(query_block) {}

bool CudaPass::serves(const Rows& rows, const PassRequest& request) const {
  const at::Tensor& queries = request.candidates.queries;
  return device_ != nullptr && rows.vectors.device().type() == device_->type() &&
         queries.device() == rows.vectors.device() && queries.scalar_type() == at::kFloat &&
         rows.vectors.scalar_type() == at::kBFloat16 && rows.length == RowLength::kUnit && queries.numel() > 0 &&
         rows.vectors.size(0) > 0 && queries.size(0) <= kMostCounted && rows.vectors.size(0) <= kMostCounted &&
         is_plain_request(request) && (request.best == 0 || !rows.order_factors.defined()) &&
         has_shape(*device_, rows.vectors, request);
}

bool CudaPass::uses_kernel(const Rows& rows, const PassRequest& request) const {
  return serves(rows, request) && is_right(rows.vectors, kernel_terms(request), parts_of(request));
}

bool CudaPass::attention_first(const Rows& rows, const PassRequest& request) const {
  // It hands out no rows, so best rows are never its.
  if (request.best > 0 || !AttentionPass::serves(rows, request)) return false;
  const auto terms = static_cast<int>(request.terms.size());
  return terms > kMostScanTerms || preferred(terms) == GpuPass::kAttention || !uses_kernel(rows, request);
}

GpuPassTimes CudaPass::trial_times(const Rows& rows, const PassRequest& request) const {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const at::NoGradGuard no_grad;
  const c10::DeviceGuard own_device(rows.vectors.device());
  GpuPassTimes times{kNever, kNever};
  if (device_ == nullptr) return times;
  if (AttentionPass::serves(rows, request)) {
    times[0] = median_time(*device_, [&] { AttentionPass().run(rows, request); });
  }
  // A kernel that is wrong on its device has no time.
  if (uses_kernel(rows, request)) {
    times[1] = median_time(*device_, [&] { CudaRun(*device_, rows, request, parts_of(request)).run(); });
  }
  return times;
}

bool CudaPass::is_right(const at::Tensor& vectors, int terms, int parts) const {
  return check_->passes(*device_, vectors.device(), vectors.size(1), terms, parts);
}

PassResult CudaPass::run(const Rows& rows, const PassRequest& request) const {
  check_pass_request(rows, request);
  const at::NoGradGuard no_grad;
  const c10::DeviceGuard own_device(rows.vectors.device());
  if (request.best > 0) check_order(rows, request.candidates, SelectionOrder{});
  if (attention_first(rows, request)) return AttentionPass().run(rows, request);
  if (uses_kernel(rows, request)) return run_kernel(rows, request, parts_of(request));
  if (request.best == 0) return otherwise_.run(rows, request);
  // No kernel serves the request as a whole. Terms alone may be attention's, and best rows alone may be the kernel's.
  PassRequest terms = request;
  terms.best = 0;
  PassResult result = run(rows, terms);
  result.best = best(rows, request.candidates, SelectionOrder{}, request.best);
  return result;
}

at::Tensor CudaPass::best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                          std::int64_t m) const {
  check_selection(rows, candidates, order, m);
  const PassRequest request = best_request(candidates, m);
  if (order.by == SelectionOrder::By::kScore && uses_kernel(rows, request)) return run(rows, request).best;
  return exhaustive_best_keys(rows, candidates, order, m);
}

PassResult CudaPass::run_kernel(const Rows& rows, const PassRequest& request, int parts) const {
  CudaRun run(*device_, rows, request, parts);
  PassResult result = run.run();
  if (request.best == 0 || run.open_queries().size(0) == 0) return result;
  const PassRequest rest = best_request(select_queries(request.candidates, run.open_queries()), request.best);
  // Open queries were not certified within the error of their parts. One part more lowers e about a hundredfold
  // (FORMULAS.md 8); what is open after that is ranked by fp64 scores of all rows.
  const bool can_be_finer = parts < CudaRun::kMostQueryParts && is_right(rows.vectors, kernel_terms(rest), parts + 1);
  result.best.index_copy_(0, run.open_queries(),
                          can_be_finer ? run_kernel(rows, rest, parts + 1).best
                                       : exhaustive_best_keys(rows, rest.candidates, SelectionOrder{}, rest.best));
  return result;
}

}  // namespace negatron
