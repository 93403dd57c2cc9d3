#include "tests/bench/exchange_scene.h"

#include <atomic>

#include <ATen/Parallel.h>

#include "comm/threads/thread_communicator.h"
#include "samplers/exchange/bank_exchange.h"
#include "tests/bench/bank_scene.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kPairs = 1024;
constexpr std::int64_t kQueryMixes = 128;

std::int64_t total_received(const Communicator& comm) {
  std::int64_t bytes = 0;
  for (const auto& [name, traffic] : comm.traffic().total()) bytes += traffic.bytes_received;
  return bytes;
}

}  // namespace

HardSetBytes measure_hard_sets(int ranks, std::int64_t queries_per_rank) {
  // One sort of everything: slot s of the filled bank holds random row s.
  const at::Tensor rows = random_unit_rows(kBankSeed, 0, kRows, kWidth).to(at::kFloat).to(at::kDouble);
  std::atomic<int> exact_ranks{0};
  HardSetBytes result;
  run_ranks(ranks, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Bank bank = make_bank(comm, at::kFloat);
    const QueryBatch batch = make_queries(comm, queries_per_rank);
    const at::Tensor own = batch.queries;
    ShardCandidates shard{bank.shard().rows, {}, batch.shares};
    shard.candidates.queries = comm.all_gather(own);
    const std::int64_t before = total_received(comm);
    const DevicePass pass;
    HardSetSearch search(pass);
    const HardSets sets = search.find(comm, shard, SelectionOrder{}, kHardest);
    const std::int64_t received = total_received(comm) - before;

    const at::Tensor keys = selection_keys(own.to(at::kDouble).mm(rows.t()), at::arange(kRows, at::kLong));
    const at::Tensor best = std::get<0>(std::get<0>(keys.topk(kHardest, 1, /*largest=*/false)).sort(1));
    if (at::equal(sets.keys, best)) ++exact_ranks;
    if (comm.rank() != 0) return;
    result.received = static_cast<double>(received);
    result.full_lists = static_cast<double>((comm.size() - 1) * queries_per_rank * kHardest * 8);
    result.fallback_rate = search.last_fallback_rate();
  });
  result.exact = exact_ranks == ranks;
  return result;
}

MixBytes measure_mixes(int ranks, std::int64_t queries_per_rank) {
  MixBytes bytes;
  run_ranks(ranks, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Bank bank = make_bank(comm, at::kBFloat16);
    const QueryBatch batch = make_queries(comm, queries_per_rank);
    ScoreTerm term;
    term.scale = 5.0;
    NegativeRequest request;
    MixRecipe& recipe = request.mixes.emplace();
    recipe.hard = kHardest;
    recipe.pairs = kPairs;
    recipe.query_mixes = kQueryMixes;
    const auto measure = [&](MixRecipe::Mode mode) {
      recipe.mode = mode;
      const std::int64_t before = total_received(comm);
      BankExchange().run(comm, bank, batch, request, {term});
      at::Tensor received = at::full({1}, static_cast<double>(total_received(comm) - before), at::kDouble);
      comm.all_reduce(received, ReduceOp::kSum);
      return received.item<double>() / static_cast<double>(batch.shares.total());
    };
    const double fetch = measure(MixRecipe::Mode::kFetch);
    const double no_fetch = measure(MixRecipe::Mode::kNoFetch);
    if (comm.rank() == 0) bytes = {fetch, no_fetch};
  });
  return bytes;
}

}  // namespace negatron::testing
