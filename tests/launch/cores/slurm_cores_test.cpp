#include <map>

#include <gtest/gtest.h>

#include "launch/cores/thread_budget.h"

namespace negatron::testing {
namespace {

int cores_of(const std::map<std::string, const char*>& variables, int ranks) {
  return slurm_cores(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second;
      },
      ranks);
}

TEST(SlurmCores, ATaskHasWhatItWasGivenOrAnEqualPart) {
  EXPECT_EQ(cores_of({}, 1), 0);
  EXPECT_EQ(cores_of({{"SLURM_CPUS_PER_TASK", "4"}}, 2), 0) << "left over from a job that is over";
  EXPECT_EQ(cores_of({{"SLURM_JOB_ID", "7"}, {"SLURM_CPUS_PER_TASK", "4"}, {"SLURM_CPUS_ON_NODE", "64"}}, 2), 4);
  EXPECT_EQ(cores_of({{"SLURM_JOB_ID", "7"}, {"SLURM_CPUS_ON_NODE", "7"}}, 2), 3);
  EXPECT_EQ(cores_of({{"SLURM_JOB_ID", "7"}, {"SLURM_CPUS_ON_NODE", "1"}}, 4), 1);
  EXPECT_EQ(cores_of({{"SLURM_JOB_ID", "7"}}, 4), 0);
}

}  // namespace
}  // namespace negatron::testing
