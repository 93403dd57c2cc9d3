#include "runtime/planning/exchange_calls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/planning/stage_scene.h"
#include "runtime/training/gradient_reducer.h"
#include "samplers/contrast/bank_mesh.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/exchange/rows/listed_rows.h"
#include "samplers/exchange/rows/row_gradient.h"
#include "samplers/exchange/rows/sample_rows.h"

namespace negatron {
namespace {

using Bytes = std::map<std::string, Traffic>;

PlannedJob small_job(std::int64_t ranks, std::int64_t shards) {
  PlannedJob job;
  job.ranks = ranks;
  job.shards = shards;
  job.global_batch = 26;  // shares differ on three and four ranks
  job.bank_rows = 1000;
  job.width = 16;
  return job;
}

void expect_same(const Bytes& before, const Bytes& after, const std::vector<PlannedCall>& calls,
                 const std::string& where) {
  Bytes planned;
  for (const PlannedCall& call : calls) {
    Traffic& traffic = planned[name_of(call.collective)];
    traffic.calls += 1;
    traffic.bytes_sent += call.sent;
    traffic.bytes_received += call.received;
  }
  std::size_t operations = 0;
  for (const auto& [name, traffic] : after) {
    const auto earlier = before.find(name);
    Traffic counted = traffic;
    if (earlier != before.end()) {
      counted.calls -= earlier->second.calls;
      counted.bytes_sent -= earlier->second.bytes_sent;
      counted.bytes_received -= earlier->second.bytes_received;
    }
    if (counted.calls == 0) continue;
    ++operations;
    EXPECT_EQ(planned[name].calls, counted.calls) << where << ", " << name;
    EXPECT_EQ(planned[name].bytes_sent, counted.bytes_sent) << where << ", " << name;
    EXPECT_EQ(planned[name].bytes_received, counted.bytes_received) << where << ", " << name;
  }
  EXPECT_EQ(operations, planned.size()) << where;
}

std::int64_t sent_to_all(const std::vector<PlannedCall>& calls) {
  std::int64_t bytes = 0;
  for (const PlannedCall& call : calls) bytes += call.collective == Collective::kAllToAll ? call.sent : 0;
  return bytes;
}

/// Plans the exchange of every rank, runs it, and compares.
void expect_planned_bytes(const PlannedJob& job, bool further_round) {
  std::mutex one_at_a_time;
  run_ranks(static_cast<int>(job.ranks), {}, [&](Communicator& comm) {
    const StageScene scene = make_stage_scene(job, comm.rank(), at::kCPU);
    BankExchange exchange;
    const Bytes before = comm.traffic().total();
    exchange.run(comm, scene.bank, scene.batch, scene.request, scene.terms);
    const bool completed = exchange.hard_set_search().last_fallback_rate() > 0.0;
    const std::lock_guard lock(one_at_a_time);
    ASSERT_EQ(completed, further_round) << "this bank's lists tell nothing about this plan";
    expect_same(before, comm.traffic().total(), exchange_calls(job, comm.rank(), further_round),
                "rank " + std::to_string(comm.rank()) + " of " + std::to_string(job.ranks));
  });
}

TEST(ExchangeCalls, AreThoseOfTheExchange) {
  for (const std::int64_t ranks : {1, 2, 3, 4}) expect_planned_bytes(small_job(ranks, ranks), false);
}

TEST(ExchangeCalls, WithoutSampleIds) {
  PlannedJob job = small_job(3, 3);
  job.sample_ids = false;
  expect_planned_bytes(job, false);
}

TEST(ExchangeCalls, WithHardestRows) {
  for (const std::int64_t ranks : {1, 2, 3, 4}) {
    PlannedJob job = small_job(ranks, ranks);
    job.hard = 100;
    ASSERT_EQ(list_length(job) < job.hard, ranks > 1);
    expect_planned_bytes(job, false);
    job.hard = 2;
    ASSERT_EQ(list_length(job), job.hard) << "lists are meant to be whole";
    expect_planned_bytes(job, false);
  }
}

TEST(ExchangeCalls, WithAFurtherRound) {
  PlannedJob job = small_job(4, 4);
  job.hard = 100;
  std::mutex one_at_a_time;
  run_ranks(4, {}, [&](Communicator& comm) {
    StageScene scene = make_stage_scene(job, comm.rank(), at::kCPU);
    // All queries are alike, and the rows that they like best come from rank 0: more of them than its list holds.
    const std::int64_t own = scene.batch.queries.size(0);
    at::Tensor query = at::zeros({1, job.width});
    query[0][0] = 1.0;
    scene.batch.queries = query.expand({own, job.width}).contiguous();
    const at::Tensor keys = comm.rank() == 0 ? scene.batch.queries : -scene.batch.queries;
    for (std::int64_t step = 0; step < 2 * job.hard / job.global_batch * job.ranks; ++step) {
      scene.bank.enqueue(keys, at::full({own}, -1, at::kLong), at::Tensor(), step, job.global_batch);
    }
    BankExchange exchange;
    exchange.run(comm, scene.bank, scene.batch, scene.request, scene.terms);
    const std::lock_guard lock(one_at_a_time);
    ASSERT_GT(exchange.hard_set_search().last_fallback_rate(), 0.0);
    std::vector<PlannedCall> calls = exchange_calls(job, comm.rank(), true);
    // What the plan leaves open: the missing rows, 8 bytes each, which only rank 0 has.
    std::int64_t planned = 0;
    for (const PlannedCall& call : calls) planned += call.collective == Collective::kAllToAll ? call.received : 0;
    const std::int64_t missing = comm.traffic().total().at("all_to_all").bytes_received - planned;
    EXPECT_EQ(missing % 8, 0);
    EXPECT_EQ(missing > 0, comm.rank() != 0);
    const auto rows = std::find_if(calls.begin(), calls.end(), [](const PlannedCall& call) {
      return std::string(call.purpose) == "missing rows to owners";
    });
    ASSERT_NE(rows, calls.end());
    rows->received = missing;
    rows->sent = comm.traffic().total().at("all_to_all").bytes_sent - sent_to_all(calls);
    expect_same({}, comm.traffic().total(), calls, "rank " + std::to_string(comm.rank()));
  });
}

/// What two communicators of a rank counted together; with one copy of the bank they are the same one.
Bytes counted_by(const Communicator& comm, const Communicator& group) {
  Bytes bytes = comm.traffic().total();
  if (&comm == &group) return bytes;
  for (const auto& [name, traffic] : group.traffic().total()) {
    bytes[name].calls += traffic.calls;
    bytes[name].bytes_sent += traffic.bytes_sent;
    bytes[name].bytes_received += traffic.bytes_received;
  }
  return bytes;
}

PlannedJob job_of_kind(BankKind kind, std::int64_t ranks, std::int64_t shards) {
  PlannedJob job = small_job(ranks, shards);
  job.bank_kind = kind;
  // Shares of 1 to 4 ranks, and of these what each of 1 to 4 owners has, are equal.
  job.global_batch = 144;
  return job;
}

TEST(ExchangeCalls, OfAnIndexAreThoseOfAQueueAndNoKeyTravels) {
  const PlannedJob job = job_of_kind(BankKind::kIndex, 3, 3);
  expect_planned_bytes(job, false);
  EXPECT_TRUE(enqueue_calls(job_of_kind(BankKind::kIndex, 4, 2), 0).empty());
  EXPECT_TRUE(sample_row_calls(job, 0).empty());
}

/// Ids of own samples, of which each of `shards` owners has as many.
at::Tensor ids_of_all_owners(const PlannedJob& job, int rank) {
  const auto shards = static_cast<int>(job.shards);
  const Range own = share(job.global_batch, static_cast<int>(job.ranks), rank);
  at::Tensor ids = at::empty({own.size()}, at::kLong);
  for (std::int64_t i = 0; i < own.size(); ++i) {
    ids[i] = share(job.bank_rows, shards, static_cast<int>(i % shards)).begin + own.begin + i / shards;
  }
  return ids;
}

at::Tensor ids_of_batch(Communicator& comm, const at::Tensor& own, const std::vector<std::int64_t>& sizes) {
  return comm.size() == 1 ? own : comm.all_gather(own, sizes);
}

/// The bank's part of a step of a memory bank: its rows, the stage, and the queries into the rows.
TEST(SampleRowCalls, AreThoseOfAStep) {
  std::mutex one_at_a_time;
  for (const auto& [ranks, shards] : {std::pair{1, 1}, {2, 2}, {3, 3}, {4, 4}, {4, 2}}) {
    const PlannedJob job = job_of_kind(BankKind::kMemory, ranks, shards);
    run_ranks(ranks, {}, [&, shards = shards](Communicator& comm) {
      BankMesh mesh(comm, shards);
      StageScene scene = make_stage_scene(job, comm.rank(), at::kCPU);
      const at::Tensor ids = ids_of_all_owners(job, comm.rank());
      const Bytes before = counted_by(comm, mesh.group());
      const std::vector<std::int64_t> sizes = share_sizes(job.global_batch, comm.size());
      const SampleRows rows(comm, mesh.group(), scene.bank, ids_of_batch(comm, ids, sizes));
      const at::Tensor keys = rows.fetch();
      BankExchange exchange;
      exchange.run(mesh.group(), scene.bank, scene.batch, scene.request, scene.terms);
      rows.blend(scene.batch.queries, at::zeros_like(ids), 0.5, 1);
      const std::lock_guard lock(one_at_a_time);
      std::vector<PlannedCall> calls = exchange_calls(job, comm.rank(), false);
      for (const PlannedCall& call : sample_row_calls(job, comm.rank())) calls.push_back(call);
      EXPECT_EQ(keys.sizes(), scene.batch.queries.sizes());
      EXPECT_TRUE(enqueue_calls(job, comm.rank()).empty());
      expect_same(before, counted_by(comm, mesh.group()), calls,
                  "rank " + std::to_string(comm.rank()) + " with S = " + std::to_string(shards));
    });
  }
}

/// The bank's part of a step of a parametric bank: rows of own samples, the stage, and what of the loss goes to rows by
/// both doors.
TEST(SampleRowCalls, OfAParametricBankAreThoseOfAStep) {
  std::mutex one_at_a_time;
  for (const int ranks : {1, 2, 3, 4}) {
    const PlannedJob job = job_of_kind(BankKind::kParametric, ranks, ranks);
    run_ranks(ranks, {}, [&](Communicator& comm) {
      StageScene scene = make_stage_scene(job, comm.rank(), at::kCPU);
      const Bytes before = comm.traffic().total();
      const std::vector<std::int64_t> sizes = share_sizes(job.global_batch, comm.size());
      const at::Tensor all = ids_of_batch(comm, ids_of_all_owners(job, comm.rank()), sizes);
      const ListedRows rows(comm, scene.bank, all.unsqueeze(1), sizes, at::kFloat);
      BankExchange exchange;
      const NegativeResult met = exchange.run(comm, scene.bank, scene.batch, scene.request, scene.terms);
      rows.vectors().sum().backward();
      const at::Tensor by_term = at::ones({scene.batch.queries.size(0)});
      const GradientOfRows gradient =
          row_gradient(comm, scene.bank, met.met, {{scene.terms[0], by_term, met.scores.terms[0]}});
      const GradientOfRows of_positives = rows.gradient();
      const std::lock_guard lock(one_at_a_time);
      EXPECT_EQ(gradient.values.size(0), scene.bank.shard().rows.vectors.size(0));
      EXPECT_EQ(of_positives.values.sum().item<double>(),
                static_cast<double>(job.global_batch * job.width / comm.size()));
      std::vector<PlannedCall> calls = exchange_calls(job, comm.rank(), false);
      for (const PlannedCall& call : sample_row_calls(job, comm.rank())) calls.push_back(call);
      EXPECT_TRUE(enqueue_calls(job, comm.rank()).empty());
      expect_same(before, comm.traffic().total(), calls,
                  "rank " + std::to_string(comm.rank()) + " of " + std::to_string(ranks));
    });
  }
}

/// The bank's part of a step of a learned bank: the stage with the term that rows raise, and the gradient of the rows.
TEST(ExchangeCalls, OfALearnedBankAreThoseOfAStep) {
  std::mutex one_at_a_time;
  for (const int ranks : {1, 2, 3, 4}) {
    const PlannedJob job = job_of_kind(BankKind::kLearned, ranks, ranks);
    run_ranks(ranks, {}, [&](Communicator& comm) {
      StageScene scene = make_stage_scene(job, comm.rank(), at::kCPU);
      BankExchange exchange;
      const Bytes before = comm.traffic().total();
      const NegativeResult met = exchange.run(comm, scene.bank, scene.batch, scene.request, scene.terms);
      const at::Tensor by_term = at::ones({scene.batch.queries.size(0)});
      const GradientOfRows gradient =
          row_gradient(comm, scene.bank, met.met, {{scene.terms[1], by_term, met.scores.terms[1]}});
      const std::lock_guard lock(one_at_a_time);
      EXPECT_EQ(gradient.values.size(0), scene.bank.shard().rows.vectors.size(0));
      expect_same(before, comm.traffic().total(), exchange_calls(job, comm.rank(), false),
                  "rank " + std::to_string(comm.rank()) + " of " + std::to_string(ranks));
    });
  }
}

TEST(EnqueueCalls, AreThoseOfTheMesh) {
  std::mutex one_at_a_time;
  for (const std::int64_t shards : {1, 2, 4}) {
    const PlannedJob job = small_job(4, shards);
    run_ranks(4, {}, [&](Communicator& comm) {
      BankMesh mesh(comm, static_cast<int>(shards));
      StageScene scene = make_stage_scene(job, comm.rank(), at::kCPU);
      const Bytes before = comm.traffic().total();
      mesh.enqueue(scene.bank, scene.batch.keys, scene.batch.ids, at::Tensor(), 1, job.global_batch);
      const std::lock_guard lock(one_at_a_time);
      expect_same(before, comm.traffic().total(), enqueue_calls(job, comm.rank()),
                  "rank " + std::to_string(comm.rank()) + " with S = " + std::to_string(shards));
    });
  }
}

TEST(GradientCalls, AreThoseOfTheReducer) {
  std::mutex one_at_a_time;
  constexpr std::int64_t kBucketElements = GradientReducer::kBucketBytes / 4;
  PlannedJob job = small_job(3, 3);
  job.gradient_bytes = 4.0 * (2 * kBucketElements + 1001);
  run_ranks(3, {}, [&](Communicator& comm) {
    std::vector<at::Tensor> parameters;
    for (const std::int64_t size : {std::int64_t{1001}, kBucketElements, kBucketElements}) {
      parameters.push_back(at::zeros({size}).requires_grad_());
    }
    GradientReducer reducer(comm, parameters);
    const Bytes before = comm.traffic().total();
    reducer.reduce();
    const std::lock_guard lock(one_at_a_time);
    expect_same(before, comm.traffic().total(), gradient_calls(job, comm.rank()),
                "rank " + std::to_string(comm.rank()));
  });
}

}  // namespace
}  // namespace negatron
