#include "runtime/planning/measured_machine.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <vector>

#include "comm/threads/thread_communicator.h"
#include "runtime/planning/step_prediction.h"

namespace negatron {
namespace {

// How well predictions meet runs is for `negatron plan --here` to say: times are nothing to gate on.

TEST(MeasureMachine, AllRanksHoldTheSameConstants) {
  PlannedJob job;
  job.ranks = job.shards = 2;
  job.global_batch = 32;
  job.bank_rows = 2048;
  job.width = 16;
  job.hard = 64;
  std::mutex mutex;
  std::vector<Machine> machines;
  run_ranks(2, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const PlaceHere place{comm.rank(), at::kCPU, CpuIsa::kAuto};
    const MeasuredMachine measured = measure_machine(comm, job, place);
    const std::lock_guard lock(mutex);
    EXPECT_GT(measured.stage_seconds, 0.0);
    machines.push_back(measured.machine);
  });
  ASSERT_EQ(machines.size(), 2u);
  for (const Machine& machine : machines) {
    EXPECT_GT(machine.pass_flops, 0.0);
    EXPECT_GT(machine.read_bytes_per_second, 0.0);
    EXPECT_EQ(machine.pass_flops, machines.front().pass_flops);
    EXPECT_EQ(machine.select_seconds_per_score, machines.front().select_seconds_per_score);
    ASSERT_EQ(machine.network.levels.size(), 1u);
    EXPECT_EQ(machine.network.levels.front().ranks, 2);
    for (std::size_t i = 0; i < kCollectiveCount; ++i) {
      const Link& link = machine.network.levels.front().links[i];
      EXPECT_GT(link.step_seconds + 1.0 / link.bytes_per_second, 0.0);
      EXPECT_EQ(link.step_seconds, machines.front().network.levels.front().links[i].step_seconds);
    }
    const double predicted = predict_stage(machine, job).seconds();
    EXPECT_TRUE(std::isfinite(predicted) && predicted > 0.0) << predicted;
  }
}

}  // namespace
}  // namespace negatron
