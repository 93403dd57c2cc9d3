#include "launch/slurm/slurm_job.h"

#include <map>

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

SlurmJob job_of(const std::map<std::string, const char*>& variables) {
  return slurm_job([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second;
  });
}

TEST(SlurmJob, IsTheStepOfAJob) {
  EXPECT_FALSE(job_of({}));
  const SlurmJob batch = job_of({{"SLURM_JOB_ID", "12"}, {"SLURM_JOB_NODELIST", "n[1-4]"}, {"SLURM_NTASKS", "8"}});
  EXPECT_TRUE(batch);
  EXPECT_EQ(text_of(batch), "Slurm job 12 on n[1-4]");
  const SlurmJob step = job_of({{"SLURM_JOB_ID", "12"},
                                {"SLURM_STEP_ID", "3"},
                                {"SLURM_JOB_NODELIST", "n[1-4]"},
                                {"SLURM_STEP_NODELIST", "n[1-2]"},
                                {"SLURM_RESTART_COUNT", "1"}});
  EXPECT_EQ(text_of(step), "Slurm job 12.3 on n[1-2], restarted once");
  const StartMetrics metrics = start_metrics(step, 40, 2);
  EXPECT_EQ(metrics.job, "12.3");
  EXPECT_EQ(metrics.step, 40);
  EXPECT_EQ(metrics.restarts, 1);
}

TEST(SlurmJob, TasksThatNobodyStartedAreToldOf) {
  const SlurmJob job = job_of({{"SLURM_JOB_ID", "12"}, {"SLURM_NTASKS", "4"}});
  EXPECT_NE(forgotten_tasks(job, 1, false).find("has 4 tasks"), std::string::npos);
  EXPECT_EQ(forgotten_tasks(job, 4, false), "");
  EXPECT_EQ(forgotten_tasks(job, 1, true), "") << "srun -n 1 asks for one";
  EXPECT_EQ(forgotten_tasks(job_of({{"SLURM_JOB_ID", "12"}, {"SLURM_NTASKS", "1"}}), 1, false), "");
  EXPECT_EQ(forgotten_tasks(job_of({{"SLURM_NTASKS", "4"}}), 1, false), "") << "left over";
}

}  // namespace
}  // namespace negatron::testing
