// --cpu-isa holds for every way in which a stage looks for best rows, not only for its passes.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/pass/cpu/kernel_choice.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

constexpr std::int64_t kBankRows = 400, kBankWidth = 8, kQueries = 10;

/// Ordered by how near they are to the queries, so that one shard holds all hard rows and its list is too short.
at::Tensor rows_by_nearness(const at::Tensor& direction) {
  const at::Tensor all = random_unit_rows(3, 0, kBankRows, kBankWidth);
  return all.index_select(0, std::get<1>(all.mv(direction[0]).sort(0, /*descending=*/true)));
}

Bank fp32_bank(const at::Tensor& rows, const Communicator& comm) {
  Bank bank({kBankRows, kBankWidth, at::kFloat, at::kCPU, BankFill::kEmpty, 0, kBankRows}, comm.rank(), comm.size());
  const at::Tensor own = testing::part(rows, comm);
  bank.enqueue(own, at::full({own.size(0)}, -1, at::kLong), at::Tensor(), 0, kBankRows);
  return bank;
}

/// Runs a stage on four ranks with `isa` and says how often each vector code was chosen meanwhile.
std::map<std::string, std::int64_t> choices_of(CpuIsa isa, const NegativeRequest& request, const ScoreTerm& term) {
  std::map<std::string, std::int64_t> before, chosen;
  for (const CpuIsa one : available_isas()) before[name_of(one)] = times_chosen(one);
  const at::Tensor direction = random_unit_rows(4, 0, 1, kBankWidth);
  const at::Tensor near = direction + 0.01 * random_unit_rows(5, 0, kQueries, kBankWidth);
  const at::Tensor rows = rows_by_nearness(direction);
  run_ranks(4, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Bank bank = fp32_bank(rows, comm);
    QueryBatch batch;
    batch.queries = testing::part((near / near.norm(2, 1, true)).to(at::kFloat), comm);
    batch.shares = {share_sizes(kQueries, comm.size()), 0};
    BankExchange exchange;
    exchange.use(isa);
    exchange.run(comm, bank, batch, testing::part(request, bank, comm), {term});
  });
  for (const CpuIsa one : available_isas()) {
    const std::int64_t times = times_chosen(one) - before[name_of(one)];
    if (times > 0) chosen[name_of(one)] = times;
  }
  return chosen;
}

/// Every available one that takes no other for some rows: rows in fp32 are no business of the codes for bf16.
void expect_obeyed(const NegativeRequest& request, const ScoreTerm& term = {}) {
  for (const CpuIsa isa : {CpuIsa::kPortable, CpuIsa::kAvx2, CpuIsa::kAvx512}) {
    if (!has_isa(isa)) continue;
    const std::map<std::string, std::int64_t> chosen = choices_of(isa, request, term);
    EXPECT_EQ(chosen.size(), 1u) << "besides " << name_of(isa) << ": " << ::testing::PrintToString(chosen);
    EXPECT_TRUE(chosen.contains(name_of(isa)));
  }
}

TEST(VectorCode, OfThePassAndOfTheFurtherRound) {
  NegativeRequest request;
  expect_obeyed(request);
  request.report_hardest = 64;
  expect_obeyed(request);
}

TEST(VectorCode, OfRankWindows) {
  NegativeRequest request;
  request.sets.front().last_rank = 20;
  expect_obeyed(request);
  request.sets.front().first_rank = 5;
  expect_obeyed(request);
  request.sets.front() = NegativeSet{};
  request.sets.front().pool.rows = at::arange(kBankRows) % 3 == 0;
  request.sets.front().last_rank = 20;
  expect_obeyed(request);
}

TEST(VectorCode, OfPoolsToMixFrom) {
  NegativeRequest request;
  MixRecipe mixes;
  mixes.hard = 12;
  mixes.pairs = 4;
  mixes.pools = {{{at::arange(kBankRows) % 3 == 0, {}}, 6}, {{at::arange(kBankRows) % 3 == 1, {}}, 6}};
  request.mixes = mixes;
  expect_obeyed(request);
}

TEST(VectorCode, OfBestRowsBesideTermsThatNoKernelServes) {
  NegativeRequest request;
  request.report_hardest = 64;
  ScoreTerm hinges;
  hinges.shape = TermShape::kHinge;
  hinges.reduction = Reduction::kSum;
  expect_obeyed(request, hinges);
}

}  // namespace
}  // namespace negatron
