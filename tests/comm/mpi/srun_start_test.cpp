// What srun told a process, from which follows whether and how MPI starts there.

#include <cstdlib>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/mpi/environment.h"
#include "comm/mpi/lone_start.h"

namespace negatron::testing {
namespace {

using Variables = std::map<std::string, const char*>;

VariableLookup lookup_in(const Variables& variables) {
  return [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second;
  };
}

std::string diagnosis(const Variables& variables, bool by_launcher = false) {
  try {
    diagnose_srun(lookup_in(variables), by_launcher);
    return "no error";
  } catch (const CommError& error) {
    return error.what();
  }
}

TEST(DiagnoseSrun, NamesTheMissingOption) {
  const Variables srun = {{"SLURM_STEP_ID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "2"}};
  EXPECT_NE(diagnosis(srun).find("srun --mpi=pmix"), std::string::npos);

  auto with_pmix = srun;
  with_pmix["PMIX_RANK"] = "2";
  EXPECT_EQ(diagnosis(with_pmix), "no error");
  auto with_pmi2 = srun;
  with_pmi2["PMI_RANK"] = "2";
  EXPECT_NE(diagnosis(with_pmi2).find("srun --mpi=pmix"), std::string::npos) << "Open MPI would end the process";
  with_pmi2["OMPI_MCA_pmix"] = "s2";
  EXPECT_EQ(diagnosis(with_pmi2), "no error") << "the user knows better";
  auto one_task = srun;
  one_task["SLURM_NTASKS"] = "1";
  EXPECT_EQ(diagnosis(one_task), "no error") << "a program in the shell that is the task";
  EXPECT_NE(diagnosis(one_task, true).find("srun --mpi=pmix"), std::string::npos);
  EXPECT_EQ(diagnosis(with_pmix, true), "no error");
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

TEST(LoneStart, IsThatOfProgramsInAShellThatIsTheOnlyTask) {
  const auto is_lone = [](const Variables& variables, bool by_launcher = false) {
    return is_lone_start(lookup_in(variables), by_launcher);
  };
  const Variables shell = {{"SLURM_STEP_ID", "3"}, {"SLURM_STEP_NUM_TASKS", "1"}, {"PMIX_RANK", "0"}};
  EXPECT_TRUE(is_lone(shell));
  EXPECT_FALSE(is_lone(shell, true)) << "srun started it as its rank";
  auto one_of_two = shell;
  one_of_two["SLURM_STEP_NUM_TASKS"] = "2";
  EXPECT_FALSE(is_lone(one_of_two)) << "a script that is a rank";
  auto part = shell;
  part["SLURM_HET_SIZE"] = "2";
  EXPECT_FALSE(is_lone(part)) << "a rank of a heterogeneous step";
  auto under_mpirun = shell;
  under_mpirun["OMPI_COMM_WORLD_SIZE"] = "4";
  EXPECT_FALSE(is_lone(under_mpirun));
  EXPECT_FALSE(is_lone({}));
}

TEST(HiddenStarter, PutsBackWhatItHid) {
  ::setenv("SLURM_NEGATRON_TEST", "a=b", 1);
  {
    const HiddenStarter hidden;
    EXPECT_EQ(::getenv("SLURM_NEGATRON_TEST"), nullptr);
  }
  EXPECT_STREQ(::getenv("SLURM_NEGATRON_TEST"), "a=b");
  ::unsetenv("SLURM_NEGATRON_TEST");
}

}  // namespace
}  // namespace negatron::testing
