#include "runtime/bank_files/near_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/bank_files/made_matrix.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeMatrix;
using testing::MadeRow;
using testing::opened;
using testing::SmallRun;
using testing::TemporaryDirectory;

/// By definition: all rows of the queue, sorted.
std::vector<std::int64_t> nearest_keys(const testing::PlainQueue& queue, const at::Tensor& query, std::int64_t sample,
                                       std::size_t top) {
  std::vector<std::pair<double, std::int64_t>> scored;
  for (const testing::PlainQueue::Entry& entry : queue.entries()) {
    if (sample >= 0 && entry.id == sample) continue;
    scored.emplace_back(-entry.vector.to(at::kDouble).dot(query).item<double>(), entry.sequence);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::int64_t> keys;
  for (std::size_t i = 0; i < std::min(top, scored.size()); ++i) keys.push_back(scored[i].second);
  keys.resize(top, -1);
  return keys;
}

std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<std::int64_t>(), tensor.const_data_ptr<std::int64_t>() + tensor.numel()};
}

std::vector<std::int64_t> of_query(const at::Tensor& all, std::int64_t query) {
  return numbers(all[query].contiguous());
}

NearQueries queries_at(const std::vector<double>& angles) {
  const at::Tensor angle = at::tensor(angles, at::kDouble);
  return {at::stack({angle.cos(), angle.sin()}, 1), at::full({angle.numel()}, -1, at::kLong)};
}

class NearRowsOfARun : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(NearRowsOfARun, AreThoseOfTheWholeQueueOnAnyNumberOfRanks) {
  const SmallRun run{23, 5, GetParam(), BankFill::kRandom, {6, 2, 7}};
  const testing::PlainQueue queue = run.queue(7);
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const NearQueries queries{random_unit_rows(3, 0, 4, 5).to(at::kDouble), at::full({4}, -1, at::kLong)};
  for (const int ranks : {1, 2, 3, 4}) {
    const auto folder = directory / ("run" + std::to_string(ranks));
    const OpenBank bank = opened(files, testing::save_run(run, files, folder, 7, ranks));
    // The second has room for blocks of few rows only.
    for (const std::int64_t memory : {kPlenty, BankMemory::kLeastBytes + std::int64_t{20000}}) {
      const NearRows found = near_rows(bank, queries, 6, BankMemory(memory));
      for (std::int64_t query = 0; query < queries.count(); ++query) {
        EXPECT_EQ(of_query(found.sequence, query), nearest_keys(queue, queries.vectors[query], -1, 6)) << ranks;
      }
    }
  }
}

TEST_P(NearRowsOfARun, OfSamplesPassOverTheirOwnKeys) {
  const SmallRun run{23, 5, GetParam(), BankFill::kRandom, {6, 2, 7}};
  const testing::PlainQueue queue = run.queue(7);
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const OpenBank bank = opened(files, testing::save_run(run, files, directory / "run", 7, 3));
  std::vector<std::int64_t> missing;
  const NearQueries queries = queries_of_samples(bank, {8, 3, 77, 3}, BankMemory(kPlenty), missing);
  EXPECT_EQ(missing, std::vector<std::int64_t>{77});
  EXPECT_EQ(numbers(queries.ids), (std::vector<std::int64_t>{8, 3}));
  const NearRows found = near_rows(bank, queries, 40, BankMemory(kPlenty));
  for (std::int64_t query = 0; query < queries.count(); ++query) {
    const std::int64_t sample = queries.ids[query].item<std::int64_t>();
    at::Tensor newest;
    for (const testing::PlainQueue::Entry& entry : queue.entries()) {
      if (entry.id == sample) newest = entry.vector;
    }
    EXPECT_TRUE(at::equal(queries.vectors[query], newest.to(at::kDouble)));
    const std::vector<std::int64_t> keys = of_query(found.sequence, query);
    EXPECT_EQ(keys, nearest_keys(queue, queries.vectors[query], sample, 40));
    EXPECT_EQ(keys.back(), -1);
    EXPECT_EQ(of_query(found.ids, query).back(), -1);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, NearRowsOfARun, ::testing::Values(at::kDouble, at::kFloat, at::kHalf, at::kBFloat16));

TEST(NearRows, OfEqualScoresTheOlderKeyComesFirstWithItsNumbers) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  testing::write_made_bank(
      files, directory / "bank",
      {MadeRow{0.3, 10, 1, 0}, MadeRow{0.1, 11, 2, 0}, MadeRow{0.3, 12, 3, 1}, MadeRow{0.1, 13, 4, 1}}, 2);
  const OpenBank bank = opened(files, directory / "bank");
  const NearRows found = near_rows(bank, queries_at({0.1}), 3, BankMemory(kPlenty));
  EXPECT_EQ(of_query(found.ids, 0), (std::vector<std::int64_t>{11, 13, 10}));
  EXPECT_EQ(of_query(found.labels, 0), (std::vector<std::int64_t>{2, 4, 1}));
  EXPECT_EQ(of_query(found.steps, 0), (std::vector<std::int64_t>{0, 1, 0}));
  EXPECT_NEAR(found.scores[0][2].item<double>(), std::cos(0.2), 1e-15);
}

TEST(NearRowsRefusals, SayWhatIsWrongWithQueries) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  testing::write_made_bank(files, directory / "bank", {MadeRow{0.3}, MadeRow{0.1}});
  const OpenBank bank = opened(files, directory / "bank");
  const BankMemory memory(kPlenty);
  const auto refusal = [&](const at::Tensor& values, Range rows, bool normalize) {
    return testing::refusal([&] { queries_of_matrix(bank, MadeMatrix(values), rows, normalize, memory); });
  };
  const auto says = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find("usage: "), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  says(refusal(at::ones({1, 3}), {0, 1}, false), "The queries are 3 wide, the rows of the bank 2.");
  says(refusal(at::ones({4, 2}), {2, 5}, false), "--range 2:5 is not part of the 4 rows");
  says(refusal(at::ones({4, 2}), {2, 4}, false), "Row 2 of the queries has norm 1.414214 and not 1");
  says(refusal(at::zeros({4, 2}), {1, 4}, true), "Row 1 of the queries is zero");
  says(refusal(at::full({1, 2}, std::numeric_limits<double>::infinity()), {0, 1}, true), "not finite");
  EXPECT_EQ(refusal(at::ones({4, 2}), {0, 4}, true), "nothing");
  says(testing::refusal([&] { near_rows(bank, queries_at({0.1}), 0, memory); }), "--top must be at least 1");
  says(testing::refusal([&] { near_rows(bank, queries_at({0.1}), 1 << 28, memory); }), "--memory");
}

}  // namespace
}  // namespace negatron
