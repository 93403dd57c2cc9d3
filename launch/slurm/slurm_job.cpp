#include "launch/slurm/slurm_job.h"

#include <charconv>
#include <cstdlib>

namespace negatron {
namespace {

std::string text_in(const VariableLookup& variable, const char* name) {
  const char* text = variable(name);
  return text == nullptr ? std::string() : text;
}

template <typename Number>
Number number_in(const VariableLookup& variable, const char* name) {
  const std::string text = text_in(variable, name);
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "12.0"
std::string name_of(const SlurmStart& start) {
  return start.job_id + (start.step_id.empty() ? "" : "." + start.step_id);
}

}  // namespace

SlurmJob slurm_job(const VariableLookup& variable) {
  SlurmJob job;
  job.start.job_id = text_in(variable, "SLURM_JOB_ID");
  job.start.step_id = text_in(variable, "SLURM_STEP_ID");
  job.start.restarts = number_in<std::int64_t>(variable, "SLURM_RESTART_COUNT");
  job.nodes = text_in(variable, "SLURM_STEP_NODELIST");
  if (job.nodes.empty()) job.nodes = text_in(variable, "SLURM_JOB_NODELIST");
  job.tasks = number_in<int>(variable, "SLURM_NTASKS");
  return job;
}

SlurmJob slurm_job() {
  return slurm_job([](const char* name) { return static_cast<const char*>(std::getenv(name)); });
}

std::string text_of(const SlurmJob& job) {
  std::string text = "Slurm job " + name_of(job.start);
  if (!job.nodes.empty()) text += " on " + job.nodes;
  if (job.start.restarts == 1) text += ", restarted once";
  if (job.start.restarts > 1) text += ", restarted " + std::to_string(job.start.restarts) + " times";
  return text;
}

StartMetrics start_metrics(const SlurmJob& job, std::int64_t step, int ranks) {
  return {step, ranks, name_of(job.start), job.nodes, job.start.restarts};
}

std::string forgotten_tasks(const SlurmJob& job, int ranks, bool by_launcher) {
  if (!job || by_launcher || ranks > 1 || job.tasks < 2) return {};
  return "job " + job.start.job_id + " of Slurm has " + std::to_string(job.tasks) +
         " tasks, and this run is one rank: srun --mpi=pmix before the command starts a rank for each.";
}

}  // namespace negatron
