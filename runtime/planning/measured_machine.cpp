#include "runtime/planning/measured_machine.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "runtime/planning/exchange_calls.h"
#include "runtime/planning/fitted_line.h"
#include "runtime/planning/rank_times.h"
#include "runtime/planning/stage_scene.h"
#include "runtime/planning/step_prediction.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/pass/device_pass.h"

namespace negatron {
namespace {

double rate_of(double slope) {
  return slope > 0.0 ? 1.0 / slope : std::numeric_limits<double>::infinity();
}

/// Half the bank and one and a half: on both sides of what is predicted, as lines go astray outside of their points.
constexpr std::int64_t kHalves[] = {1, 3};
/// Of the bank, for the rest.
constexpr std::int64_t kSmallPart = 8;

PlannedJob with_rows(const PlannedJob& job, std::int64_t rows) {
  PlannedJob other = job;
  other.bank_rows = std::max({rows, job.global_batch, job.hard});
  return other;
}

/// The pass of a stage, alone.
struct LocalWork {
  StageScene scene;
  PassRequest request;
  /// B K / S
  double scores = 0.0;
};

LocalWork make_local_work(Communicator& group, const PlannedJob& job, const PlaceHere& place) {
  LocalWork work{make_stage_scene(job, place.rank, place.device), {}, 0.0};
  work.request.candidates.queries = group.all_gather(work.scene.batch.queries, work.scene.batch.shares.sizes);
  work.request.terms = work.scene.terms;
  work.request.want_max = work.request.may_skip_max = true;
  work.scores = static_cast<double>(group_queries(job, place.rank)) * static_cast<double>(job.bank_rows) /
                static_cast<double>(job.shards);
  return work;
}

/// Seconds of stages and of what they consist of.
struct StageTimes {
  double whole = 0.0;
  double small = 0.0;
  std::vector<Measurement> passes;
  /// Of passes that also find the hardest rows.
  std::vector<Measurement> searches;
};

StageTimes measure_stages(Communicator& group, const PlannedJob& job, const PlannedJob& small, const PlaceHere& place) {
  const DevicePass pass(place.isa);
  const std::int64_t length = list_length(job);
  std::vector<LocalWork> local;
  for (const std::int64_t halves : kHalves) {
    local.push_back(make_local_work(group, with_rows(job, job.bank_rows * halves / 2), place));
  }
  const StageScene whole_scene = make_stage_scene(job, place.rank, place.device);
  const StageScene small_scene = make_stage_scene(small, place.rank, place.device);
  BankExchange whole_exchange;
  BankExchange small_exchange;
  whole_exchange.use(place.isa);
  small_exchange.use(place.isa);
  const auto run = [&](BankExchange& exchange, const StageScene& scene) {
    exchange.run(group, scene.bank, scene.batch, scene.request, scene.terms);
  };

  std::vector<std::function<void()>> works{[&] { run(whole_exchange, whole_scene); },
                                           [&] { run(small_exchange, small_scene); }};
  // In a stage a collective follows, in which ranks that share cores wait for each other and wake up: a barrier here.
  for (const LocalWork& work : local) {
    works.emplace_back([&] {
      pass.run(work.scene.bank.shard().rows, work.request);
      group.barrier();
    });
    if (job.hard == 0) continue;
    works.emplace_back([&] {
      PassRequest with_best = work.request;
      with_best.best = length;
      pass.run(work.scene.bank.shard().rows, with_best);
      group.barrier();
    });
  }
  const std::vector<double> seconds = seconds_of_ranks(group, place.device, works);
  StageTimes times{seconds[0], seconds[1], {}, {}};
  std::size_t next = 2;
  for (const LocalWork& work : local) {
    times.passes.push_back({work.scores, seconds[next++]});
    if (job.hard > 0) times.searches.push_back({work.scores, seconds[next++]});
  }
  return times;
}

double seconds_of(Communicator& group, const PlaceHere& place, const std::function<void()>& work) {
  return seconds_of_ranks(group, place.device, std::vector<std::function<void()>>{work}).front();
}

/// Bytes read and written by a copy.
double measure_memory(Communicator& group, const PlaceHere& place) {
  constexpr std::int64_t kNumbers = std::int64_t{8} << 20;
  const at::Tensor from = at::ones({kNumbers}, at::TensorOptions(at::kFloat).device(place.device));
  const at::Tensor to = at::zeros_like(from);
  return 2.0 * static_cast<double>(from.nbytes()) / seconds_of(group, place, [&] { to.copy_(from); });
}

/// `rows` numbers from each rank to each other: seconds for the bytes that a rank receives.
Measurement measure_collective(Communicator& group, const PlaceHere& place, Collective collective, std::int64_t rows) {
  const std::int64_t ranks = group.size();
  const at::TensorOptions options = at::TensorOptions(at::kFloat).device(place.device);
  const std::vector<std::int64_t> each(static_cast<std::size_t>(ranks), rows);
  const at::Tensor own = at::ones({rows}, options);
  const at::Tensor all = at::ones({ranks * rows}, options);
  const double others = static_cast<double>((ranks - 1) * rows) * static_cast<double>(own.element_size());
  switch (collective) {
    case Collective::kAllGather:
      return {others, seconds_of(group, place, [&] { group.all_gather(own, each); })};
    case Collective::kAllToAll:
      return {others, seconds_of(group, place, [&] { group.all_to_all(all, each, each); })};
    case Collective::kAllReduce:
      // Of all: a share to each rank, and reduced shares from each.
      return {2.0 * others, seconds_of(group, place, [&] { group.all_reduce(all, ReduceOp::kMax); })};
  }
  return {};
}

Network measure_network(Communicator& group, const PlaceHere& place) {
  NetworkLevel level;
  level.ranks = group.size();
  for (const Collective collective : {Collective::kAllGather, Collective::kAllToAll, Collective::kAllReduce}) {
    if (group.size() == 1) continue;
    std::vector<Measurement> times;
    constexpr std::int64_t kFewest = 1 << 8;
    constexpr std::int64_t kMost = 1 << 18;
    for (std::int64_t rows = kFewest; rows <= kMost; rows *= 4) {
      times.push_back(measure_collective(group, place, collective, rows));
    }
    const FittedLine line = fit_line(times);
    level.links[static_cast<std::size_t>(collective)] = {
        line.start / steps_of(collective, group.size(), 1, group.size()), rate_of(line.slope), 0.0};
  }
  return {0.0, {level}};
}

}  // namespace

MeasuredMachine measure_machine(Communicator& group, const PlannedJob& job, const PlaceHere& place) {
  const at::NoGradGuard no_grad;
  PlannedJob small = with_rows(job, job.bank_rows / kSmallPart);
  // Their search is no line down to so few rows.
  small.hard = 0;
  const StageTimes times = measure_stages(group, job, small, place);
  MeasuredMachine measured;
  measured.stage_seconds = times.whole;
  Machine& machine = measured.machine;
  const FittedLine pass = fit_line(times.passes);
  machine.pass_start_seconds = pass.start;
  machine.pass_flops = kFlopsPerScoreAndColumn * static_cast<double>(job.width) * rate_of(pass.slope);
  if (job.hard > 0) {
    const FittedLine search = fit_line(times.searches);
    machine.select_start_seconds = std::max(0.0, search.start - pass.start);
    machine.select_seconds_per_score = std::max(0.0, search.slope - pass.slope);
  }
  machine.read_bytes_per_second = measure_memory(group, place);
  machine.network = measure_network(group, place);
  machine.rest_seconds = std::max(0.0, times.small - predict_stage(machine, small).seconds());
  return measured;
}

}  // namespace negatron
