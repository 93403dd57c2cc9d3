#include "samplers/pass/cuda/scan_trial.h"

#include <optional>
#include <stdexcept>
#include <string>

#include <c10/util/Exception.h>

#include "samplers/pass/blocked_pass.h"
#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/cuda/cuda_run.h"
#include "samplers/pass/kernel_trial.h"

namespace negatron {
namespace {

constexpr std::int64_t kBest = 40;
/// Several times what bf16 costs, and far below what a fragment in the wrong place does.
constexpr double kTolerance = 0.05;

}  // namespace

double time_in_trial(const ScanDevice& device, const std::function<void()>& work) {
  const std::optional<double> time = device.time_of(work, kTrialLimit);
  if (!time) {
    throw std::runtime_error("A trial of the pass over the bank did not end on its GPU within " +
                             std::to_string(kTrialLimit.count()) +
                             " seconds. A run with --bank-dtype fp32 does without the kernel.");
  }
  return *time;
}

bool ScanTrial::passes(const ScanDevice& device, at::Device place, std::int64_t width, int terms, int parts) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // The lock is held during the trial, so a second thread with the same shape waits for the answer. A trial that throws
  // leaves the shape as not passed.
  const auto [entry, is_new] = passed_.try_emplace(Shape{place.index(), width, terms, parts}, false);
  if (!is_new) return entry->second;
  const Rows rows = trial_rows(place, width);
  PassRequest request = trial_request(place, width, terms, parts);
  PassResult expected = BlockedPass().run(rows, request);
  expected.best = exhaustive_best_keys(rows, request.candidates, SelectionOrder{}, kBest);
  // First without best rows, for which a run waits by itself, however long that takes.
  time_in_trial(device, [&] { CudaRun(device, rows, request, parts).run(); });
  request.best = kBest;
  const double far = distance(CudaRun(device, rows, request, parts).run(), expected, request);
  entry->second = far <= kTolerance;
  if (!entry->second) {
    TORCH_WARN("The kernel of the pass is off by ", far, " of what ATen computes on ", place, " (width ", width, ", ",
               terms, " terms), expected at most ", kTolerance, ": ATen is used instead, which is slower.");
  }
  return entry->second;
}

}  // namespace negatron
