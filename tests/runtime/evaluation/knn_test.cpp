#include "runtime/evaluation/knn.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "tests/runtime/evaluation/reference_metrics.h"

namespace negatron::testing {
namespace {

const CommunicatorOptions kCheckedKnn{.check = true};

/// Rank by rank over threads: every rank's part of the result, in rank order.
struct Joined {
  at::Tensor predictions;
  at::Tensor votes;
  std::vector<double> accuracies;
};

Joined classify(int ranks, const at::Tensor& train, const at::Tensor& train_labels, const at::Tensor& queries,
                const at::Tensor& query_labels, const KnnOptions& options) {
  std::vector<KnnResult> results(static_cast<std::size_t>(ranks));
  run_ranks(ranks, kCheckedKnn, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Range t = share(train.size(0), ranks, comm.rank());
    const Range q = share(queries.size(0), ranks, comm.rank());
    results[static_cast<std::size_t>(comm.rank())] =
        classify_knn(comm, train.slice(0, t.begin, t.end), train_labels.slice(0, t.begin, t.end),
                     queries.slice(0, q.begin, q.end), query_labels.slice(0, q.begin, q.end), options);
  });
  Joined joined;
  std::vector<at::Tensor> predictions, votes;
  for (const KnnResult& result : results) {
    predictions.push_back(result.predictions);
    votes.push_back(result.votes);
    joined.accuracies.push_back(result.accuracy);
  }
  joined.predictions = at::cat(predictions);
  joined.votes = at::cat(votes);
  return joined;
}

at::Tensor unit_rows(std::int64_t count, std::int64_t width, at::ScalarType dtype) {
  const at::Tensor rows = at::randn({count, width}, dtype);
  return rows / rows.norm(2, 1, true);
}

TEST(Knn, GivesTheReferenceVotesOnAnyNumberOfRanks) {
  const ReferenceMetrics reference;
  const at::Tensor bank = ReferenceMetrics::unit_matrix(reference.shared().at("bank_raw"));
  const at::Tensor queries = ReferenceMetrics::unit_matrix(reference.shared().at("q_raw"));
  const nlohmann::json& expected = reference.metrics().at("expected");
  const at::Tensor votes = ReferenceMetrics::matrix(expected.at("knn_vote_share_per_class"));
  const KnnOptions options{.k = 5, .temperature = 0.07, .classes = 3};
  for (const int ranks : {1, 2, 3, 4}) {
    const Joined result = classify(ranks, bank, ReferenceMetrics::labels(reference.shared().at("bank_labels")), queries,
                                   ReferenceMetrics::labels(reference.shared().at("query_labels")), options);
    EXPECT_LT((result.votes - votes).abs().max().item<double>(), 1e-10) << ranks;
    EXPECT_TRUE(result.predictions.equal(ReferenceMetrics::labels(expected.at("knn_prediction"))));
    for (const double accuracy : result.accuracies) EXPECT_EQ(accuracy, 1.0);
  }
}

TEST(Knn, GivesTheSameAnswerOnAnyNumberOfRanks) {
  at::manual_seed(3);
  const at::Tensor train = unit_rows(501, 16, at::kDouble), queries = unit_rows(103, 16, at::kDouble);
  const at::Tensor labels = at::randint(0, 7, {501}, at::kLong), truth = at::randint(0, 7, {103}, at::kLong);
  const KnnOptions options{.k = 40, .temperature = 0.1, .classes = 7};
  const Joined single = classify(1, train, labels, queries, truth, options);
  // Plain twin: the whole score matrix, a full sort, one vote at a time.
  const at::Tensor scores = at::mm(queries, train.t());
  const at::Tensor order = scores.argsort(true, 1, true).slice(1, 0, 40);
  at::Tensor votes = at::zeros({103, 7}, at::kDouble);
  for (std::int64_t q = 0; q < 103; ++q) {
    for (std::int64_t j = 0; j < 40; ++j) {
      const auto row = order[q][j].item<std::int64_t>();
      votes[q][labels[row].item<std::int64_t>()] += std::exp(scores[q][row].item<double>() / 0.1);
    }
  }
  votes /= votes.sum(1, true);
  EXPECT_LT((single.votes - votes).abs().max().item<double>(), 1e-12);
  const double accuracy = votes.argmax(1).eq(truth).to(at::kDouble).mean().item<double>();
  for (const int ranks : {2, 3, 4}) {
    const Joined result = classify(ranks, train, labels, queries, truth, options);
    EXPECT_TRUE(result.predictions.equal(single.predictions));
    EXPECT_LT((result.votes - votes).abs().max().item<double>(), 1e-12);
    for (const double value : result.accuracies) EXPECT_NEAR(value, accuracy, 1e-15);
  }
}

TEST(Knn, TakesFewerRowsThanNeighboursEmptySharesAndOneQuery) {
  at::manual_seed(4);
  const at::Tensor train = unit_rows(3, 4, at::kFloat), query = unit_rows(1, 4, at::kFloat);
  const at::Tensor labels = at::tensor({0, 1, 1}, at::kLong), truth = at::tensor({1}, at::kLong);
  const KnnOptions options{.k = 200, .temperature = 0.1, .classes = 2};
  const at::Tensor weights = at::mm(query, train.t()).to(at::kDouble).div(0.1).exp()[0];
  const double share_of_one = (weights[1] + weights[2]).item<double>() / weights.sum().item<double>();
  for (const int ranks : {1, 2, 4}) {
    const Joined result = classify(ranks, train, labels, query, truth, options);
    EXPECT_NEAR(result.votes[0][1].item<double>(), share_of_one, 1e-6) << ranks;
  }
}

TEST(Knn, EqualScoresAtTheBorderGoByTrainingRowOnAnyNumberOfRanks) {
  // Eight equal rows; the first three are of class 1, and only three may vote.
  const at::Tensor train = at::tensor({1.0, 0.0}, at::kDouble).expand({8, 2}).contiguous();
  const at::Tensor labels = at::tensor({1, 1, 1, 0, 0, 0, 0, 0}, at::kLong);
  const at::Tensor queries = train.slice(0, 0, 2);
  const KnnOptions options{.k = 3, .temperature = 0.01, .classes = 2};
  for (const int ranks : {1, 2, 3, 4}) {
    const Joined result = classify(ranks, train, labels, queries, at::ones({2}, at::kLong), options);
    EXPECT_TRUE(result.votes.select(1, 1).eq(1).all().item<bool>()) << ranks;
  }
}

TEST(Knn, RefusesWrongArguments) {
  run_ranks(1, {}, [](Communicator& comm) {
    const at::Tensor rows = at::eye(2), labels = at::zeros({2}, at::kLong);
    const auto refuse = [&](const at::Tensor& train, const at::Tensor& train_labels, KnnOptions options) {
      EXPECT_THROW(classify_knn(comm, train, train_labels, rows, labels, options), std::invalid_argument);
    };
    refuse(rows, labels, {.k = 0});
    refuse(rows, labels, {.temperature = 0.0});
    refuse(rows, at::full({2}, 10, at::kLong), {});
    refuse(rows, at::zeros({3}, at::kLong), {});
    refuse(at::zeros({0, 2}), at::zeros({0}, at::kLong), {});
  });
}

}  // namespace
}  // namespace negatron::testing
