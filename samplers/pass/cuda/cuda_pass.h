#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "samplers/pass/blocked_pass.h"
#include "samplers/pass/cuda/scan_device.h"
#include "samplers/pass/cuda/scan_trial.h"

namespace negatron {

/// What serves requests on a GPU that both could.
enum class GpuPass { kAttention, kKernel };
/// Milliseconds, by GpuPass; infinite where it cannot.
using GpuPassTimes = std::array<double, 2>;

/// The pass on a GPU: attention with keys = values = rows, for both terms of a request from one computation of the
/// scores, in a kernel of this project for tensor cores (scan_block.h).
///
/// Serves what nearly every step asks for: one or two plain terms (score_term.h), with bias, holes and exclusions but
/// without label rules, windows and positives; fp32 queries and rows in bf16, d a multiple of 8 up to 128, with one
/// term up to 256; unit rows, because the kernel bounds logits by |q| |scale|. Of the rest AttentionPass serves what it
/// can, and anything else is passed on to BlockedPass, which runs on any device. Where both could, AttentionPass goes
/// first (on an H100 it took 0.64 to 0.86 of the kernel's time at every size tried) unless prefer() says otherwise.
///
/// Queries are rounded to bf16, or split into two bf16 where that would show (score_term.h), weights are rounded to
/// bf16, and all sums are fp32, as in FastPass with kAvx512Bf16. What queries that are not finite get means nothing.
/// Slices of the rows are merged in a fixed order, so on one kind of
/// GPU equal inputs give equal bits. Before the first result of a shape of the kernel is used, it is compared with
/// BlockedPass (scan_trial.h).
///
/// Best rows are found in the same sweep (device_shortlists.h), exactly, also without terms. Where rows lie closer
/// together than bf16 can tell, the query is searched again in two parts, and where these cannot, in fp64. The host
/// waits for the device to learn of which queries that is true; a pass without best rows waits for nothing.
class CudaPass : public Pass {
 public:
  /// A pass whose kernels run on the current CUDA device; in a build without CUDA no kernel runs. `query_block` is that
  /// of BlockedPass.
  explicit CudaPass(std::int64_t query_block = BlockedPass::kDefaultQueryBlock);
  /// A pass whose kernels run on `device`; without one no kernel runs.
  CudaPass(std::int64_t query_block, std::shared_ptr<const ScanDevice> device);

  PassResult run(const Rows& rows, const PassRequest& request) const override;
  at::Tensor best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                  std::int64_t m) const override;

  /// How long each takes for a checked request, of which nothing comes: the median of some runs, as it varies. Waits
  /// for the device; throws std::runtime_error when one does not end within kTrialLimit, as then nothing else will run
  /// there. Local.
  GpuPassTimes trial_times(const Rows& rows, const PassRequest& request) const;
  /// Who serves requests of `terms` terms, 1 or 2, that both could; the same on all ranks, or partials of a query
  /// differ in their last bits with the rank that made them. Not while another thread runs the pass.
  void prefer(GpuPass pass, int terms) { preferred_[static_cast<std::size_t>(terms - 1)] = pass; }
  GpuPass preferred(int terms) const { return preferred_[static_cast<std::size_t>(terms - 1)]; }

  /// Whether the kernel serves a checked request. Local; does not wait for the device.
  bool serves(const Rows& rows, const PassRequest& request) const;
  /// Whether the kernel serves a checked request and is right on this device (scan_trial.h). Waits for the device the
  /// first time.
  bool uses_kernel(const Rows& rows, const PassRequest& request) const;

 private:
  bool attention_first(const Rows& rows, const PassRequest& request) const;
  bool is_right(const at::Tensor& vectors, int terms, int parts) const;
  PassResult run_kernel(const Rows& rows, const PassRequest& request, int parts) const;

  std::shared_ptr<const ScanDevice> device_;
  std::shared_ptr<ScanTrial> check_;
  std::array<GpuPass, kMostScanTerms> preferred_{};
  BlockedPass otherwise_;
};

}  // namespace negatron
