#pragma once

#include <cstdint>
#include <optional>

#include <ATen/ATen.h>

#include "samplers/pass/cuda/device_exclusions.h"
#include "samplers/pass/cuda/device_shortlists.h"
#include "samplers/pass/cuda/scan_device.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// Into how many slices, of equally many tiles as far as that goes, to cut `tiles` tiles of rows, so that `blocks`
/// blocks of queries keep a device busy that runs `concurrent` thread blocks at a time: the fewest of those that take
/// the least time, counted in tiles one after the other. All at least 1.
std::int32_t slice_count(std::int64_t tiles, std::int64_t blocks, std::int64_t concurrent);

/// One scan of all rows and the merge of its slices. Its memory is ATen's, which keeps it from step to step, so that a
/// step neither allocates on the device nor waits for it, and can be captured in a CUDA graph, its exclusions too where
/// they lie on the device (device_exclusions.h). Where best rows are wanted, the same scan hands out those that may be
/// among them; the run then waits for the device, to say which queries that left open. Local.
class CudaRun {
 public:
  static constexpr int kMostQueryParts = 2;

  /// `rows` and `request` are what CudaPass serves, and referred to. Each query is the sum of `parts` queries in bf16.
  CudaRun(const ScanDevice& device, const Rows& rows, const PassRequest& request, int parts);

  /// Lets the run also fill `filtered` with the candidates that score at least thresholds [Q] fp32, with slots for
  /// `capacity` rows of each query. Must not be called where best rows are wanted, which come about that way.
  void filter(const at::Tensor& thresholds, std::int64_t capacity, FilteredRows& filtered);
  PassResult run();
  /// [any] int64, the queries whose best rows the run left open; their rows of PassResult::best mean nothing.
  const at::Tensor& open_queries() const noexcept { return open_queries_; }

 private:
  void place_queries(int parts);
  void place_exclusions();
  void divide();
  SliceMerge merge_into(PassResult& result) const;
  at::Tensor count() const;

  const ScanDevice& device_;
  Rows rows_;
  const PassRequest& request_;
  at::TensorOptions numbers_;  // fp32 where the rows are
  at::Tensor bias_;            // [n] or undefined
  at::Tensor validity_;        // [n] or undefined
  at::Tensor queries_;         // [parts, Q, d] bf16
  at::Tensor norms_;           // [Q]
  std::optional<DeviceExclusions> exclusions_;
  at::Tensor excluded_begin_;  // [chunks + 1] int32
  at::Tensor thresholds_;      // [Q] or undefined
  std::optional<DeviceShortlists> shortlists_;
  FilteredRows noted_;
  at::Tensor open_queries_;
  at::Tensor references_, masses_, sums_, maxima_;
  BankScan scan_;
};

}  // namespace negatron
