// Equal numbers, and sums of rows that stand anywhere: against loops over single rows, on the host and by the
// operations that a device takes.

#include "samplers/bank/row_sums.h"

#include <map>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "samplers/bank/equal_numbers.h"

namespace negatron {
namespace {

constexpr std::int64_t kSummedWidth = 5;

EqualNumbers equal_of(const std::vector<std::int64_t>& numbers) {
  return find_equal(numbers.data(), static_cast<std::int64_t>(numbers.size()));
}

TEST(EqualNumbers, AreThoseOfAMap) {
  // Around a digit of the sort, above 2^32, the largest there is, none, and numbers that are none.
  std::vector<std::int64_t> numbers{2048, 7, 2047, -1, 7, 1LL << 40, 0, 4096, -9, INT64_MAX, 7, (1LL << 40) + 1, 0};
  for (std::int64_t i = 0; i < 5000; ++i) numbers.push_back(i * 7919 % 3001);
  std::map<std::int64_t, std::vector<std::int64_t>> expected;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] >= 0) expected[numbers[i]].push_back(static_cast<std::int64_t>(i));
  }
  const EqualNumbers equal = equal_of(numbers);
  ASSERT_EQ(equal.size(), static_cast<std::int64_t>(expected.size()));
  ASSERT_EQ(equal.begins.size(), expected.size() + 1);
  std::size_t i = 0;
  for (const auto& [number, positions] : expected) {
    EXPECT_EQ(equal.values[i], number);
    const auto begin = equal.positions.begin();
    EXPECT_EQ(std::vector<std::int64_t>(begin + equal.begins[i], begin + equal.begins[i + 1]), positions);
    ++i;
  }
  EXPECT_EQ(equal_of({-3, -1}).size(), 0);
  EXPECT_EQ(equal_of({}).begins, std::vector<std::int64_t>{0});
}

/// Rows on both sides, one that is named twice by a sum, one that is named by several, and one by none.
StackedRows rows_to_sum(at::ScalarType type, std::int64_t first) {
  const at::Tensor all = at::sin(at::arange(7 * kSummedWidth, at::kDouble)).view({7, kSummedWidth}).to(type);
  return {all.narrow(0, 0, first), all.narrow(0, first, 7 - first)};
}

RowTerms terms_to_sum() {
  return {{0, 1, 4, 6, 7}, {6, 0, 3, 3, 5, 0, 2}};
}

TEST(RowSums, AreThoseOfALoop) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const std::int64_t first : {0, 3, 7}) {
      const StackedRows rows = rows_to_sum(type, first);
      const at::Tensor stacked = at::cat({rows.first, rows.second});
      const RowTerms terms = terms_to_sum();
      const at::Tensor expected = at::zeros({4, kSummedWidth}, type);
      for (std::int64_t sum = 0; sum < terms.size(); ++sum) {
        for (std::int64_t i = terms.begins[sum]; i < terms.begins[sum + 1]; ++i) {
          expected[sum].add_(stacked[terms.places[i]]);
        }
      }
      EXPECT_TRUE(at::equal(sum_stacked(rows, terms), expected)) << at::toString(type) << " " << first;
      // Of numbers narrower than fp32 ATen rounds less often.
      const double rounding = at::elementSize(type) < 4 ? 1e-2 : 0.0;
      EXPECT_TRUE(at::allclose(sum_by_index(rows, terms), expected, rounding, rounding)) << at::toString(type) << first;
      for (const at::ScalarType to : {at::kDouble, at::kFloat, at::kBFloat16}) {
        const at::Tensor places = at::tensor(terms.places, at::kLong);
        const at::Tensor gathered = stacked.index_select(0, places).to(to);
        EXPECT_TRUE(at::equal(gather_stacked(rows, terms.places, to), gathered)) << at::toString(type);
        EXPECT_TRUE(at::equal(gather_by_index(rows, terms.places, to), gathered)) << at::toString(type);
      }
    }
  }
}

TEST(RowSums, OfNothingAreNothing) {
  const StackedRows rows = rows_to_sum(at::kFloat, 3);
  const StackedRows none{rows.first.narrow(0, 0, 0), rows.second.narrow(0, 0, 0)};
  for (const StackedRows& some : {rows, none}) {
    EXPECT_EQ(sum_stacked(some, {{0}, {}}).sizes(), at::IntArrayRef({0, kSummedWidth}));
    EXPECT_EQ(sum_by_index(some, {{0}, {}}).sizes(), at::IntArrayRef({0, kSummedWidth}));
    EXPECT_EQ(gather_stacked(some, {}, at::kDouble).sizes(), at::IntArrayRef({0, kSummedWidth}));
    EXPECT_EQ(gather_by_index(some, {}, at::kDouble).sizes(), at::IntArrayRef({0, kSummedWidth}));
  }
}

/// Terms of very different sizes: another order of one sum would show.
TEST(RowSums, DoNotDependOnThreads) {
  constexpr std::int64_t kMany = 2000;
  const at::Tensor values = at::pow(at::sin(at::arange(kMany * kSummedWidth, at::kFloat)), 9).view({kMany, -1}) * 1e3;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < kMany; ++i) rows.push_back(i * 31 % 611);
  EqualNumbers equal = equal_of(rows);
  const RowTerms terms{std::move(equal.begins), std::move(equal.positions)};
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor expected = sum_stacked({values, values.narrow(0, 0, 0)}, terms);
  at::set_num_threads(3);
  EXPECT_TRUE(at::equal(sum_stacked({values, values.narrow(0, 0, 0)}, terms), expected));
  at::set_num_threads(threads);
  const at::Tensor added = at::zeros_like(expected);
  add_in_order(added, at::tensor(rows, at::kLong), values);
  EXPECT_TRUE(at::allclose(added, expected, 1e-5, 1e-3));
}

}  // namespace
}  // namespace negatron
