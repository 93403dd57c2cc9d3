#include "comm/mpi/environment.h"

#include <mpi.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>

#include "comm/error.h"
#include "comm/mpi/connection_limit.h"
#include "comm/mpi/launcher.h"
#include "comm/mpi/mpi_check.h"
#include "comm/mpi/mpi_roll_channel.h"

namespace negatron {
namespace {

// Collectives are issued by one thread at a time, which need not be the one that called MPI_Init.
constexpr int kThreadLevel = MPI_THREAD_SERIALIZED;
constexpr int kUnwindingExitCode = 1;

bool initializing = false;

/// In a process that was just forked. Open MPI starts a helper beside a process that no mpirun started; it would end at
/// the Ctrl-C that a terminal sends to all of its group, and MPI_Init with it.
void leave_terminal_group() {
  if (initializing) ::setpgid(0, 0);
}

/// What a starter tells each process it starts.
constexpr const char* kStarterVariables[] = {"PMIX_RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK"};

/// A process that nobody started as one of several starts no others; but Open MPI looks for the program that it would
/// start them with, ssh, and ends where there is none. "isolated" tells it not to look. What the user says stands.
void start_alone_without_ssh() {
  for (const char* name : kStarterVariables) {
    if (std::getenv(name) != nullptr) return;
  }
  for (const char* name : {"OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent"}) {
    if (std::getenv(name) != nullptr) return;
  }
  constexpr int kKeepsTheUsers = 0;
  setenv("OMPI_MCA_plm", "isolated", kKeepsTheUsers);
}

/// Open MPI ends a process to which nobody speaks PMIx, with words about how Slurm was built.
void require_pmi2([[maybe_unused]] const VariableLookup& variable) {
#ifdef OPEN_MPI
  if (variable("OMPI_MCA_pmix") != nullptr) return;
  throw CommError(
      "srun speaks PMI-1 or PMI-2 to this task (--mpi=pmi2), Open MPI speaks PMIx; start with srun --mpi=pmix. An Open "
      "MPI that was built for PMI-2 is told so by OMPI_MCA_pmix=s2");
#endif
}

const char* own_variable(const char* name) {
  return std::getenv(name);
}

}  // namespace

Environment::Environment(int* argc, char*** argv, std::chrono::milliseconds start_limit) : start_limit_(start_limit) {
  const bool by_launcher = is_started_by_launcher();
  diagnose_srun(own_variable, by_launcher);
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized != 0) throw CommError("MPI is initialized already; negatron::Environment is to do it, once, in main");
  std::optional<HiddenStarter> hidden;
  if (is_lone_start(own_variable, by_launcher)) hidden.emplace();
  start_alone_without_ssh();
  int granted = 0;
  const ConnectionLimit limit(start_limit_, "the start of MPI");
  pthread_atfork(nullptr, nullptr, leave_terminal_group);
  initializing = true;
  mpi_check(MPI_Init_thread(argc, argv, kThreadLevel, &granted), "MPI_Init_thread");
  initializing = false;
  hidden.reset();
  if (granted < kThreadLevel) {
    MPI_Finalize();
    throw CommError("MPI grants thread level " + std::to_string(granted) + " where MPI_THREAD_SERIALIZED (" +
                    std::to_string(kThreadLevel) + ") is needed; use an MPI that was built with thread support");
  }
  // MPI's own handler would end the job before an error gets its coordinates.
  mpi_check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  mpi_check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  mpi_check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  mpi_check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  roll_call_ = std::make_shared<RollCall>(rank_, gather_hosts(), make_mpi_roll_channel());
}

Environment::~Environment() {
  // Left by an exception: others may be waiting in a collective that this rank will never join, and MPI_Finalize would
  // wait for them.
  if (!finished_) abort(kUnwindingExitCode);
  roll_call_.reset();
  const int code = MPI_Finalize();
  if (code != MPI_SUCCESS) std::cerr << "rank " + std::to_string(rank_) + ": " + mpi_error_text(code) + "\n";
}

void Environment::abort(int exit_code) noexcept {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  // MPI_Abort returns when it could not reach the others.
  std::_Exit(exit_code);
}

void Environment::abort_from_any_thread(int exit_code) noexcept {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized != 0 && finalized == 0) MPI_Abort(MPI_COMM_WORLD, exit_code);
}

void diagnose_srun(const VariableLookup& variable, bool by_launcher) {
  // Of the step and not of the job: the shell that salloc starts is a step of one task, whatever the job has.
  const char* tasks = variable("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr) tasks = variable("SLURM_NTASKS");
  const bool started_by_srun = variable("SLURM_STEP_ID") != nullptr && variable("SLURM_PROCID") != nullptr;
  if (!started_by_srun || tasks == nullptr) return;
  const bool several = std::atoi(tasks) > 1;
  if (!several && !by_launcher) return;
  // mpirun within an allocation runs its daemons by srun; what it starts knows its place by these.
  for (const char* name : {"PMIX_RANK", "OMPI_COMM_WORLD_RANK"}) {
    if (variable(name) != nullptr) return;
  }
  if (variable("PMI_RANK") != nullptr) return require_pmi2(variable);
  if (!several) {
    throw CommError("srun started this task but gave it no PMI, which MPI needs; start with srun --mpi=pmix");
  }
  throw CommError("srun started " + std::string(tasks) +
                  " tasks but gave them no PMI, so each would be a job of one rank; start with srun --mpi=pmix");
}

}  // namespace negatron
