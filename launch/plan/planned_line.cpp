#include "launch/plan/planned_line.h"

#include <cmath>

namespace negatron {
namespace {

double received(const std::vector<PlannedCall>& calls) {
  double bytes = 0.0;
  for (const PlannedCall& call : calls) bytes += static_cast<double>(call.received);
  return bytes;
}

/// What a step moves for the bank: the stage with the calls of a further round where the plan expects one, keys that
/// travel to other copies, and rows that are positives.
std::vector<PlannedCall> bank_calls(const PlannedJob& job) {
  std::vector<PlannedCall> calls = exchange_calls(job, 0, job.hard > 0 && expects_further_round(job));
  for (const PlannedCall& call : enqueue_calls(job, 0)) calls.push_back(call);
  for (const PlannedCall& call : sample_row_calls(job, 0)) calls.push_back(call);
  return calls;
}

double images_per_gpu(const PlannedLine& line) {
  return line.images_per_second / static_cast<double>(line.job.ranks);
}

}  // namespace

std::vector<PlannedLine> planned_lines(const MachinePreset& preset, const std::vector<PlannedJob>& jobs) {
  std::vector<PlannedLine> lines;
  for (const PlannedJob& job : jobs) {
    PlannedLine line;
    line.job = job;
    line.step = predict_step(preset.machine, job);
    line.bank_bytes = shard_memory(job, 0).on_device();
    line.bank_received = received(bank_calls(job));
    line.gradients_received = received(gradient_calls(job, 0));
    line.refresh_seconds = predict_refresh(job);
    line.images_per_second = static_cast<double>(job.global_batch) / line.step.seconds();
    if (!lines.empty()) line.efficiency = images_per_gpu(line) / images_per_gpu(lines.front());
    lines.push_back(line);
  }
  return lines;
}

std::vector<PlannedCall> received_calls(const PlannedJob& job) {
  std::vector<PlannedCall> calls = bank_calls(job);
  const std::vector<PlannedCall> gradients = gradient_calls(job, 0);
  if (!gradients.empty()) {
    PlannedCall all = gradients.front();
    all.received = std::llround(received(gradients));
    calls.push_back(all);
  }
  std::erase_if(calls, [](const PlannedCall& call) { return call.received == 0; });
  return calls;
}

}  // namespace negatron
