#include "launch/plan/plan_command.h"

#include <ATen/Parallel.h>

#include <iomanip>
#include <ostream>
#include <sstream>

#include "comm/mpi/mpi_communicator.h"
#include "comm/mpi/topology.h"
#include "comm/together.h"
#include "launch/compute_device.h"
#include "launch/cores/thread_budget.h"
#include "launch/exit_code.h"
#include "launch/plan/plan_flags.h"
#include "launch/plan/plan_json.h"
#include "launch/plan/plan_report.h"
#include "launch/plan/planned_line.h"
#include "launch/pretrain/training_communicator.h"
#include "launch/rank_agreement.h"
#include "runtime/planning/measured_machine.h"
#include "runtime/planning/shard_choice.h"
#include "runtime/planning/step_prediction.h"
#include "samplers/contrast/bank_mesh.h"

namespace negatron {
namespace {

constexpr const char* kPlanUsage =
    "usage: negatron plan [FLAGS]\n"
    "       mpirun -n RANKS negatron plan --here [FLAGS]\n"
    "\n"
    "Predicts memory, bytes and time per step of a job on clusters of GPUs, from published measurements of such\n"
    "clusters. With --here it measures this machine instead, and compares the prediction with a run of the bank's "
    "stage.\n";

struct Plan {
  std::vector<PlannedJob> jobs;
  /// A sentence for each number of ranks that cannot hold the bank.
  std::vector<std::string> too_small;
};

std::string too_small(const PlannedJob& job, double memory_gb) {
  constexpr double kGiga = 1e9;
  PlannedJob spread = job;
  spread.shards = job.ranks;
  std::ostringstream text;
  text << std::setprecision(3) << "on " << job.ranks << " GPUs the bank takes "
       << static_cast<double>(shard_memory(spread, 0).on_device()) / kGiga << " GB of each, more than --bank-memory-gb "
       << memory_gb << ".";
  return text.str();
}

/// Throws UsageError when no number of ranks holds the bank.
Plan make_plan(const PlanArguments& request) {
  constexpr double kGiga = 1e9;
  const Machine machine = request.preset().machine;
  Plan plan;
  for (const std::int64_t ranks : request.planned_ranks()) {
    PlannedJob job = request.job(ranks);
    if (request.shards == 0) job.shards = choose_shards(machine, job, request.bank_memory_gb * kGiga);
    if (job.shards > 0) {
      plan.jobs.push_back(job);
    } else {
      plan.too_small.push_back(too_small(job, request.bank_memory_gb));
    }
  }
  if (plan.jobs.empty()) throw UsageError(plan.too_small.back());
  return plan;
}

void compare_here(Environment& environment, Communicator& start, const PlanArguments& request, std::ostream& out) {
  PlannedJob job;
  PlaceHere place;
  const Topology topology = discover_topology(environment);
  together(start, [&] {
    job = request.job(start.size());
    if (request.shards == 0) job.shards = start.size();
    place = {start.rank(), compute_device(topology, request.device), request.cpu_isa};
  });
  const int threads = request.threads > 0 ? static_cast<int>(request.threads) : thread_budget(start).threads;
  at::set_num_threads(threads);
  const TrainingCommunicator comm(environment, place.device, CommunicatorOptions{});
  BankMesh mesh(comm.get(), static_cast<int>(job.shards));
  const MeasuredMachine measured = measure_machine(mesh.group(), job, place);
  if (start.rank() == 0) (request.json ? write_comparison : print_comparison)(measured, job, out);
}

}  // namespace

void print_plan_help(std::ostream& out) {
  PlanArguments defaults;
  plan_flags(defaults).print_help(out, kPlanUsage);
}

void print_plan_completions(std::ostream& out) {
  PlanArguments defaults;
  plan_flags(defaults).print_completions(out);
}

int run_plan(Environment& environment, const std::vector<std::string>& arguments, std::ostream& out) {
  PlanArguments request;
  FlagTable flags = plan_flags(request);
  Plan plan;
  const std::unique_ptr<Communicator> start = make_mpi_communicator(environment, CommunicatorOptions{});
  together(*start, [&] {
    flags.parse(arguments);
    request.validate();
    if (!request.here) plan = make_plan(request);
  });
  RankAgreement(*start, discover_topology(environment).host).require("settings", flags.ini());
  if (request.here) {
    compare_here(environment, *start, request, out);
  } else if (start->rank() == 0) {
    const MachinePreset preset = request.preset();
    (request.json ? write_cluster_plan : print_cluster_plan)(preset, planned_lines(preset, plan.jobs), plan.too_small,
                                                             out);
  }
  out << std::flush;
  return kExitOk;
}

}  // namespace negatron
