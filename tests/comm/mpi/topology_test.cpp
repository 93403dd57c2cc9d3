#include "comm/mpi/topology.h"

#include <map>

#include <gtest/gtest.h>

#include "comm/error.h"

namespace negatron::testing {
namespace {

Topology on_host(int local_rank, int local_size) {
  return {.rank = 8 + local_rank, .size = 16, .local_rank = local_rank, .local_size = local_size, .host = "node7"};
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const CommError& error) {
    return error.what();
  }
  return "no error";
}

TEST(DeviceOf, IsTheLocalRank) {
  EXPECT_EQ(device_of(on_host(0, 4), 4), 0);
  EXPECT_EQ(device_of(on_host(3, 4), 4), 3);
  EXPECT_EQ(device_of(on_host(1, 2), 8), 1);
  // A launcher that shows each rank its own GPU only.
  EXPECT_EQ(device_of(on_host(3, 4), 1), 0);
}

TEST(DeviceOf, RefusesHostsThatCannotServe) {
  EXPECT_NE(error_of([] { device_of(on_host(0, 1), 0); }).find("rank 8 on node7 sees no CUDA device"),
            std::string::npos);
  const std::string error = error_of([] { device_of(on_host(1, 3), 2); });
  EXPECT_NE(error.find("3 ranks for 2 visible devices"), std::string::npos) << error;
}

std::string diagnosis(const std::map<std::string, const char*>& variables) {
  return error_of([&] {
    diagnose_srun([&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second;
    });
  });
}

TEST(DiagnoseSrun, NamesTheMissingOption) {
  const std::map<std::string, const char*> srun = {
      {"SLURM_STEP_ID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "2"}};
  EXPECT_NE(diagnosis(srun).find("srun --mpi=pmix"), std::string::npos);

  auto with_pmix = srun;
  with_pmix["PMIX_RANK"] = "2";
  EXPECT_EQ(diagnosis(with_pmix), "no error");
  auto one_task = srun;
  one_task["SLURM_NTASKS"] = "1";
  EXPECT_EQ(diagnosis(one_task), "no error");
  // In the shell that salloc -n 4 starts: a step of one task of a job of four.
  auto interactive = srun;
  interactive["SLURM_STEP_ID"] = "4294967290";
  interactive["SLURM_STEP_NUM_TASKS"] = "1";
  EXPECT_EQ(diagnosis(interactive), "no error");
  auto step = srun;
  step["SLURM_STEP_NUM_TASKS"] = "2";
  EXPECT_NE(diagnosis(step).find("srun started 2 tasks"), std::string::npos);
  // In a batch script, where mpirun will be called.
  EXPECT_EQ(diagnosis({{"SLURM_NTASKS", "4"}}), "no error");
  EXPECT_EQ(diagnosis({}), "no error");
}

}  // namespace
}  // namespace negatron::testing
