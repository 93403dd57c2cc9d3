#include "launch/plan/plan_flags.h"

#include "launch/exit_code.h"
#include "launch/flags/bank_kind_field.h"
#include "launch/flags/float_type.h"
#include "launch/flags/number_fields.h"
#include "launch/flags/row_optimizer_field.h"
#include "launch/flags/typed_fields.h"
#include "runtime/snapshots/bank_file.h"
#include "samplers/pass/cpu/kernel_choice.h"

namespace negatron {
namespace {

/// Of images a second, GB and TFLOP/s: more and less than any machine has.
constexpr double kLeastPlanned = 1e-6;
constexpr double kMostPlanned = 1e12;
/// Ten terabytes.
constexpr double kMostGradientMb = 1e7;

void require_usage(bool condition, const std::string& message) {
  if (!condition) throw UsageError(message);
}

}  // namespace

PlannedJob PlanArguments::job(std::int64_t job_ranks) const {
  PlannedJob job;
  job.ranks = job_ranks;
  const std::int64_t chosen = rows_learn(bank_kind) ? job_ranks : 1;
  job.shards = shards > 0 ? shards : chosen;
  job.bank_kind = bank_kind;
  job.row_optimizer = row_optimizer;
  job.global_batch = batch_per_gpu > 0 ? batch_per_gpu * job_ranks : global_batch;
  job.bank_rows = bank_rows;
  job.width = width;
  job.bank_dtype = bank_dtype;
  job.hard = hard;
  job.sample_seconds = 1.0 / images_per_second;
  job.gradient_bytes = gradient_mb * kMega;
  check(job);
  return job;
}

MachinePreset PlanArguments::preset() const {
  MachinePreset preset;
  try {
    preset = machine_preset(gpu);
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--gpu: ") + error.what());
  }
  if (pass_tflops > 0.0) preset.machine.pass_flops = pass_tflops * kTera;
  return preset;
}

std::vector<std::int64_t> PlanArguments::planned_ranks() const {
  if (ranks.empty()) return {8, 64, 512, 4096};
  return ranks;
}

void PlanArguments::validate() const {
  require_usage(!here || ranks.empty(), "--ranks does not go with --here: ranks are those that mpirun starts.");
  require_usage(!here || bank_kind == BankKind::kQueue,
                "--bank-kind " + kind_text(bank_kind) +
                    " does not go with --here, which runs the stage of a queue; leave one of them out.");
  require_usage(rows_learn(bank_kind) || row_optimizer == RowOptimizerKind::kSgd,
                "--rows-optimizer " + row_optimizer_text(row_optimizer) +
                    " is of rows that learn, and those of --bank-kind " + kind_text(bank_kind) +
                    " do not; choose learned or parametric.");
  preset();
  require_isa(cpu_isa);
  if (here) return;
  for (const std::int64_t count : planned_ranks()) job(count);
}

FlagTable plan_flags(PlanArguments& request) {
  FlagTable table;
  table.group("Job (as pretrain)");
  table.add("global-batch", within(&request.global_batch, 1, kMostBankRows), "samples per step over all ranks");
  table.add("batch-per-gpu", within(&request.batch_per_gpu, 0, kMostBatch),
            "samples per step and rank instead, 0 for --global-batch");
  table.add(
      "bank-kind", bank_kind_field(&request.bank_kind),
      "queue, memory, learned, index or parametric, as pretrain has them; rows are training samples but for queue "
      "and learned");
  table.add("rows-optimizer", row_optimizer_field(&request.row_optimizer),
            "of rows that learn: sgd, adagrad or adam, which remember d, 1 and 2 d + 1 numbers a row");
  table.add("bank-rows", within(&request.bank_rows, 1, kMostBankRows), "K, keys in the bank over all ranks");
  table.add("width", within(&request.width, 1, kMostWidth),
            "d, width of queries, keys and bank rows: that of the head, and 2 more with --head-output distance");
  table.add("bank-dtype", float_type_field(&request.bank_dtype), "how rows are stored: fp32, bf16, fp16");
  table.add("hard", within(&request.hard, 0, kMostBankRows), "N, hardest rows that each query is told, 0 for none");
  table.add("shards", within(&request.shards, 0, kMostJobRanks),
            "ranks that share one copy of the bank; 0 chooses (with --here: all ranks)");
  table.add("images-per-second", within(&request.images_per_second, kLeastPlanned, kMostPlanned),
            "that the encoders of one GPU train, without a bank");
  table.add("gradient-mb", within(&request.gradient_mb, 0.0, kMostGradientMb),
            "gradients of all parameters, MB (10^6 bytes)");
  table.group("Cluster");
  std::vector<std::string> gpus;
  for (const MachinePreset& preset : machine_presets()) gpus.push_back(preset.name);
  table.add("gpu", offering(&request.gpu, gpus), "a100, h100, h200 or b200, in nodes of eight");
  table.add("ranks", within(&request.ranks, 1, kMostJobRanks),
            "numbers of GPUs to plan for, as 8,64 (default: 8,64,512,4096)");
  table.add("bank-memory-gb", within(&request.bank_memory_gb, kLeastPlanned, kMostPlanned),
            "that the bank may take of each GPU, GB (10^9 bytes)");
  table.add("pass-tflops", within(&request.pass_tflops, 0.0, kMostPlanned),
            "rate of the bank's pass on one GPU, 0 for what is known of a fused kernel");
  table.group("This machine");
  table.add("here", &request.here,
            "measure this machine under mpirun -n P, predict the bank's stage of this job, run it, and compare");
  table.add("device", one_of<at::DeviceType>(&request.device, {{"cpu", at::kCPU}, {"cuda", at::kCUDA}}),
            "cpu, or cuda: one GPU per rank");
  table.add("threads", within(&request.threads, 0, kMostThreads),
            "compute threads per rank, 0 for its share of the cores");
  table.add("cpu-isa", isa_field(&request.cpu_isa), "vector code of the pass on a CPU, as in pretrain");
  table.group("Output");
  table.add("json", &request.json, "one JSON object instead of text: bytes, seconds, shares");
  return table;
}

}  // namespace negatron
