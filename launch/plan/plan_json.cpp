#include "launch/plan/plan_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/planning/step_prediction.h"
#include "runtime/snapshots/bank_file.h"
#include "runtime/snapshots/hdf5/dtype_text.h"
#include "runtime/text/json_text.h"

namespace negatron {
namespace {

using Json = nlohmann::ordered_json;

Json finite_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

/// What all lines of a plan have in common.
Json job_json(const PlannedJob& job) {
  return {{"bank_rows", job.bank_rows},
          {"width", job.width},
          {"bank_dtype", dtype_text(job.bank_dtype)},
          {"bank_kind", kind_text(job.bank_kind)},
          {"rows_optimizer", rows_learn(job.bank_kind) ? Json(row_optimizer_text(job.row_optimizer)) : Json()},
          {"hard", job.hard},
          {"images_per_second_without_bank", 1.0 / job.sample_seconds},
          {"gradient_bytes", job.gradient_bytes}};
}

Json stage_json(const StagePrediction& stage) {
  return {{"compute", stage.compute()},
          {"latency", stage.exchange.latency},
          {"bandwidth", stage.exchange.bandwidth},
          {"all", stage.seconds()}};
}

Json line_json(const PlannedLine& line) {
  return {{"gpus", line.job.ranks},
          {"global_batch", line.job.global_batch},
          {"shards", line.job.shards},
          {"bank_bytes_per_gpu", line.bank_bytes},
          {"bank_bytes_received", line.bank_received},
          {"gradient_bytes_received", line.gradients_received},
          {"stage_seconds", stage_json(line.step.bank)},
          {"keys_seconds", line.step.enqueue.seconds()},
          {"learn_seconds", line.step.learn},
          {"refresh_seconds", line.refresh_seconds},
          {"step_seconds", line.step.seconds()},
          {"images_per_second", line.images_per_second},
          {"efficiency", line.efficiency}};
}

Json calls_json(const PlannedJob& job) {
  Json calls = Json::array();
  for (const PlannedCall& call : received_calls(job)) {
    calls.push_back({{"purpose", call.purpose}, {"collective", name_of(call.collective)}, {"bytes", call.received}});
  }
  return calls;
}

/// Of one rank: what one call takes before bytes count, and its rate.
Json links_json(const Machine& machine, const PlannedJob& job) {
  Json links = Json::object();
  if (job.shards == 1) return links;
  for (const Collective collective : {Collective::kAllGather, Collective::kAllToAll, Collective::kAllReduce}) {
    const Link& link = machine.network.levels.front().links[static_cast<std::size_t>(collective)];
    links[name_of(collective)] = {
        {"start_seconds", steps_of(collective, job.shards, 1, job.shards) * link.step_seconds},
        {"bytes_per_second", finite_or_null(link.bytes_per_second)}};
  }
  return links;
}

}  // namespace

void write_cluster_plan(const MachinePreset& preset, const std::vector<PlannedLine>& lines,
                        const std::vector<std::string>& too_small, std::ostream& out) {
  Json json = {{"gpu", preset.name},
               {"cluster", preset.description},
               {"measured", false},
               {"job", job_json(lines.front().job)},
               {"plans", Json::array()},
               {"received_by_rank_0", {{"gpus", lines.back().job.ranks}, {"calls", calls_json(lines.back().job)}}},
               {"too_small", too_small}};
  for (const PlannedLine& line : lines) json["plans"].push_back(line_json(line));
  out << json_text(json) << "\n";
}

void write_comparison(const MeasuredMachine& measured, const PlannedJob& job, std::ostream& out) {
  const Machine& machine = measured.machine;
  const StagePrediction predicted = predict_stage(machine, job);
  const Json json = {{"ranks", job.ranks},
                     {"shards", job.shards},
                     {"global_batch", job.global_batch},
                     {"measured", true},
                     {"job", job_json(job)},
                     {"machine",
                      {{"pass_flops", finite_or_null(machine.pass_flops)},
                       {"pass_start_seconds", machine.pass_start_seconds},
                       {"read_bytes_per_second", finite_or_null(machine.read_bytes_per_second)},
                       {"select_seconds_per_score", machine.select_seconds_per_score},
                       {"select_start_seconds", machine.select_start_seconds},
                       {"rest_seconds", machine.rest_seconds},
                       {"collectives", links_json(machine, job)}}},
                     {"predicted_stage_seconds", stage_json(predicted)},
                     {"measured_stage_seconds", measured.stage_seconds},
                     {"error", predicted.seconds() / measured.stage_seconds - 1.0}};
  out << json_text(json) << "\n";
}

}  // namespace negatron
