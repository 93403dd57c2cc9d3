#pragma once

#include <vector>

#include "comm/communicator.h"
#include "runtime/planning/planned_job.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// What BankExchange::run is given in a step of a planned job: a bank of random unit rows over a group of ranks, and
/// random queries.
struct StageScene {
  Bank bank;
  QueryBatch batch;
  NegativeRequest request;
  std::vector<ScoreTerm> terms;
};

/// For `rank` of all ranks, whose group has job.shards consecutive ones. Local.
StageScene make_stage_scene(const PlannedJob& job, std::int64_t rank, at::Device device);

}  // namespace negatron
