#pragma once

#include <string>

#include "tests/runtime/training/small_training.h"

namespace negatron::testing {

/// 6 steps over an epoch's end, with baselines, an evaluation, telemetry and snapshots.
PretrainOptions watched_options(const std::string& objective);

/// Where and how a run is compared with the same run on the host.
struct DeviceRun {
  at::DeviceType device = at::kCPU;
  int ranks = 2;
  /// Makes the communicator of the run; empty for ranks as threads.
  MakeCommunicator communicator;
};

/// The steps of `options` are the same there as on the host: losses to the rounding of other kernels, bytes sent
/// exactly. Where the host refuses `options` there is nothing to compare. Expectations are gtest's non-fatal ones. The
/// lines of the run there.
std::vector<nlohmann::json> expect_the_same_run(const DeviceRun& there, const PretrainOptions& options);

/// The same for every objective, and for every sampler with an objective of one positive and one of several.
void expect_the_same_objectives(const DeviceRun& there);
void expect_the_same_samplers(const DeviceRun& there);

/// A run that stops and goes on ends with the bits of one that never stopped.
void expect_the_same_bits_after_a_stop(const DeviceRun& there, const PretrainOptions& options);

/// Both of them for a run whose views are made there, of the bytes of their images.
void expect_the_same_with_views_made_there(const DeviceRun& there);

}  // namespace negatron::testing
