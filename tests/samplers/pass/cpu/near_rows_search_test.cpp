// The best rows that a pass finds on its way against a full sort by exact scores, where a kernel's scores cannot tell
// rows apart.

#include "samplers/pass/cpu/near_rows_search.h"

#include <limits>
#include <span>
#include <string>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cpu/fast_run.h"
#include "samplers/pass/cpu/kernel_choice.h"
#include "samplers/pass/cpu/rank_bound.h"
#include "samplers/pass/cpu/sort_keys.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::kTrialWidth;
using testing::log_sum_exp;
using testing::make_candidates;
using testing::make_rows;
using testing::unit_rows;

/// With every variant of this machine, alone and beside a term, which must not notice.
void expect_plain(const Rows& rows, const Candidates& candidates, std::int64_t m) {
  PassRequest best;
  best.candidates = candidates;
  best.best = m;
  PassRequest term = best;
  term.terms.push_back(log_sum_exp(3.0));
  PassRequest both = term;
  term.best = 0;
  const at::Tensor expected = testing::plain_best_keys(rows, candidates, {}, m);
  for (const CpuIsa isa : available_isas()) {
    // Other threads cut the rows into other tasks, whose lists are put together.
    at::set_num_threads(isa == CpuIsa::kPortable ? 1 : 3);
    SCOPED_TRACE(std::string(name_of(isa)) + ", rows " + at::toString(rows.vectors.scalar_type()) + ", m " +
                 std::to_string(m));
    ASSERT_TRUE(FastPass::serves(rows, best));
    EXPECT_TRUE(at::equal(FastPass(isa).run(rows, best).best, expected));
    const PassResult fused = FastPass(isa).run(rows, both);
    EXPECT_TRUE(at::equal(fused.best, expected));
    EXPECT_TRUE(at::equal(fused.terms[0].gradient, FastPass(isa).run(rows, term).terms[0].gradient));
  }
}

/// How many queries the scan leaves open.
std::int64_t open_queries(const Rows& rows, const Candidates& candidates, std::int64_t m, CpuIsa isa) {
  PassRequest request;
  request.candidates = candidates;
  request.best = m;
  const RowFormat format = rows.vectors.scalar_type() == at::kFloat ? RowFormat::kFp32 : RowFormat::kBf16;
  FastRun run(pass_kernel(isa, format), format, rows, request);
  run.run();
  return run.open_queries().numel();
}

class NearRowsSearch : public ::testing::TestWithParam<at::ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Formats, NearRowsSearch, ::testing::Values(at::kFloat, at::kBFloat16, at::kHalf),
                         [](const auto& tested) { return std::string(at::toString(tested.param)); });

TEST_P(NearRowsSearch, OfDuplicatesHolesAndExclusions) {
  const at::Tensor vectors = unit_rows(500, 1).repeat({3, 1}).narrow(0, 0, 1300).to(GetParam());
  const Rows rows = make_rows(vectors, at::arange(1300).remainder(9) != 2);
  Candidates candidates = make_candidates(unit_rows(10, 2).to(at::kFloat));
  candidates.exclusions = at::tensor({0, 0, 0, 1, 9, 7}, at::kLong).view({-1, 2});
  for (const std::int64_t m : {1, 64, 1400}) expect_plain(rows, candidates, m);
}

TEST_P(NearRowsSearch, OfRowsThatAllTie) {
  const Rows rows = make_rows(unit_rows(1, 1).expand({9000, kTrialWidth}).to(GetParam()).contiguous());
  for (const std::int64_t m : {1, 7, 2000}) expect_plain(rows, make_candidates(unit_rows(2, 2).to(at::kFloat)), m);
}

/// Wide rows are scored in slices; of few that are listed only these are widened.
TEST_P(NearRowsSearch, OfRowsOfAnyWidth) {
  for (const std::int64_t width : {1, 7, 8, 61, 515}) {
    const Rows rows = make_rows(random_unit_rows(1, 0, 3001, width).to(GetParam()));
    Candidates candidates = make_candidates(random_unit_rows(2, 0, 5, width).to(at::kFloat));
    candidates.keys = at::Tensor();
    for (const std::int64_t m : {3, 900}) expect_plain(rows, candidates, m);
  }
}

TEST_P(NearRowsSearch, OfTheBestRowsAtTheEnd) {
  const at::Tensor query = unit_rows(1, 2);
  const at::Tensor scores = unit_rows(9000, 1).to(GetParam()).to(at::kDouble).mv(query[0]);
  const at::Tensor ascending = unit_rows(9000, 1).index_select(0, scores.argsort()).to(GetParam());
  expect_plain(make_rows(ascending), make_candidates(query.to(at::kFloat)), 100);
}

TEST(NearRowsSearch, OfRowsThatDifferByTheirLastBits) {
  constexpr std::int64_t kBankRows = 9000;
  const at::Tensor wide = unit_rows(16, 3).view({1, 16 * kTrialWidth}).to(at::kFloat);
  const at::Tensor ulps = at::arange(kBankRows).unsqueeze(1) * 7919 + at::arange(16 * kTrialWidth) * 104729;
  const at::Tensor rows = wide * (1.0 + (ulps.remainder(5) - 2) * std::numeric_limits<float>::epsilon());
  // Squares of the smallest are no numbers of fp32.
  for (const double length : {1.0, 1e-25, 1e15}) {
    Candidates candidates = make_candidates((wide * length).repeat({3, 1}));
    candidates.keys = at::Tensor();
    for (const std::int64_t m : {1, 50, 3000}) expect_plain(make_rows(rows), candidates, m);
  }
}

TEST(NearRowsSearch, OfLongerAndLongerRows) {
  const at::Tensor lengths = at::logspace(-3, 3, 5000, 10, at::kDouble);
  for (const bool falling : {false, true}) {
    const at::Tensor rows = unit_rows(5000, 1) * (falling ? lengths.flip(0) : lengths).unsqueeze(1);
    expect_plain(make_rows(rows.to(at::kFloat)), make_candidates(unit_rows(5, 2).to(at::kFloat)), 100);
  }
}

TEST(NearRowsSearch, OfRowsOfAnyLength) {
  const at::Tensor lengths = at::arange(2000, at::kDouble).remainder(9).sub(4.0).mul(2.0).exp();
  const Rows rows = make_rows((unit_rows(2000, 1) * lengths.unsqueeze(1)).to(at::kFloat));
  const at::Tensor queries = unit_rows(5, 2) * at::tensor({0.0, 1e-30, 1.0, 1e3, 1e10}, at::kDouble).unsqueeze(1);
  expect_plain(rows, make_candidates(queries.to(at::kFloat)), 30);
}

TEST(NearRowsSearch, SettleNearlyEveryQuery) {
  const at::Tensor vectors = random_unit_rows(1, 0, 20000, 128);
  const Candidates candidates = make_candidates(random_unit_rows(2, 0, 300, 128).to(at::kFloat));
  for (const CpuIsa isa : available_isas()) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      for (const std::int64_t m : {1, 20, 500, 5000, 15000}) {
        EXPECT_LE(open_queries(make_rows(vectors.to(type)), candidates, m, isa), 1)
            << name_of(isa) << " " << type << " m " << m;
      }
    }
  }
}

TEST(NearRowsSearch, LeaveOpenWhatRoundingHides) {
  const at::Tensor wide = unit_rows(1, 1).expand({9000, kTrialWidth}).to(at::kFloat).contiguous();
  const Candidates candidates = make_candidates(unit_rows(2, 2).to(at::kFloat));
  EXPECT_EQ(open_queries(make_rows(wide), candidates, 7, CpuIsa::kPortable), 2);
}

TEST(NearRowsSearch, OfNumbersThatAreNotFinite) {
  const Rows rows = make_rows(unit_rows(50, 1).to(at::kFloat));
  const Candidates candidates = make_candidates(unit_rows(3, 2).to(at::kFloat));
  for (const float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Rows holed = make_rows(rows.vectors.clone());
    holed.vectors[49][0] = broken;
    for (const CpuIsa isa : available_isas()) EXPECT_EQ(open_queries(holed, candidates, 4, isa), 3);
  }
}

TEST(NearRowsSearch, AreNotForEverything) {
  const Rows rows = make_rows(unit_rows(50, 1).to(at::kFloat));
  PassRequest request;
  request.candidates = make_candidates(unit_rows(3, 2).to(at::kFloat));
  request.best = 4;
  ASSERT_TRUE(FastPass::serves(rows, request));
  Rows weighted = rows;
  weighted.order_factors = at::ones({50}, at::kDouble);
  EXPECT_FALSE(FastPass::serves(weighted, request));
  EXPECT_FALSE(FastPass::serves(make_rows(unit_rows(50, 1)), request));
}

TEST(RankBound, IsReachedByTheRankAndFewMore) {
  const at::Tensor scores = at::randn({5000}).clamp_(-3.0, 3.0);
  const std::span<const float> all(scores.const_data_ptr<float>(), 5000);
  for (const std::int64_t rank : {1, 10, 500, 4999, 5000}) {
    const std::int64_t reached = scores.ge(rank_bound(all, rank, 4.0F)).sum().item<std::int64_t>();
    EXPECT_GE(reached, rank);
    EXPECT_LE(reached, rank + rank / 64 + 20);  // 3.0 appears several times
  }
  const at::Tensor alike = at::full({100}, 0.3F);
  EXPECT_EQ(alike.ge(rank_bound({alike.const_data_ptr<float>(), 100}, 3, 1.0F)).sum().item<std::int64_t>(), 100);
}

TEST(SortKeys, AscendAsSigned) {
  for (const std::int64_t count : {0, 1, 2, 1000}) {
    at::Tensor keys = at::randint(std::numeric_limits<std::int64_t>::min() / 2,
                                  std::numeric_limits<std::int64_t>::max() / 2, {count}, at::kLong);
    // Half of them share their upper halves.
    keys.narrow(0, 0, count / 2).copy_(keys.narrow(0, 0, count / 2).bitwise_and(0xffff));
    if (count > 2) keys.narrow(0, 0, 3).copy_(at::tensor({kAfterAllKeys, kBeforeAllKeys, std::int64_t{-1}}));
    const at::Tensor expected = std::get<0>(keys.sort());
    at::Tensor spare = at::empty_like(keys);
    sort_keys(keys.mutable_data_ptr<std::int64_t>(), count, spare.mutable_data_ptr<std::int64_t>());
    EXPECT_TRUE(at::equal(keys, expected));
  }
}

TEST(SelectionKey, OfOneRowEqualsThatOfATensor) {
  for (const double score : {0.0, -0.0, 0.1, -0.1, 1.0, -1.0, 1e-40, -1e-40, 3e38, -3e38, 0.1 + 1e-12}) {
    for (const std::int64_t slot : {std::int64_t{0}, std::int64_t{5}, (std::int64_t{1} << 32) - 1}) {
      const at::Tensor key = at::full({1}, packed_key(static_cast<float>(score), slot), at::kLong);
      EXPECT_TRUE(at::equal(key, selection_keys(at::full({1}, score, at::kDouble), at::full({1}, slot))));
      EXPECT_EQ(scores_of_keys(key).item<float>(), static_cast<float>(score) + 0.0F);
    }
  }
}

}  // namespace
}  // namespace negatron
