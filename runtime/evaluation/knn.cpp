#include "runtime/evaluation/knn.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/evaluation/neighbours.h"

namespace negatron {

namespace {

// Queries that each rank contributes to one round of exchange: bounds what is in memory, whatever the test set.
constexpr std::int64_t kRoundQueries = 2048;

/// The sizes that every rank has to know, [P] each.
struct Sizes {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> queries;
};

Sizes exchange_sizes(Communicator& comm, std::int64_t train, std::int64_t queries, const at::Device& device) {
  const at::Tensor own = at::tensor({train, queries}, at::kLong).to(device).unsqueeze(0);
  const at::Tensor all = comm.all_gather(own).to(at::kCPU);  // [P, 2]
  Sizes sizes;
  for (int rank = 0; rank < comm.size(); ++rank) {
    sizes.train.push_back(all[rank][0].item<std::int64_t>());
    sizes.queries.push_back(all[rank][1].item<std::int64_t>());
  }
  return sizes;
}

std::int64_t sum_before(const std::vector<std::int64_t>& sizes, int rank) {
  std::int64_t sum = 0;
  for (int r = 0; r < rank; ++r) sum += sizes[static_cast<std::size_t>(r)];
  return sum;
}

/// Rank by rank stacked candidates [P*m, k] -> [m, P*k].
at::Tensor beside_each_other(const at::Tensor& received, int ranks) {
  const std::int64_t own = received.size(0) / ranks, k = received.size(1);
  // [P*m, k] -> [P, m, k] -> [m, P, k] -> [m, P*k]: all candidates of a query in one row.
  return received.view({ranks, own, k}).transpose(0, 1).reshape({own, ranks * k});
}

/// Collective. One round: the k nearest rows over all ranks of `queries` [m, D], sorted. `counts` [P]: queries of each
/// rank in this round.
Neighbours nearest_over_ranks(Communicator& comm, const at::Tensor& queries, const std::vector<std::int64_t>& counts,
                              const at::Tensor& train, std::int64_t first_row, std::int64_t k) {
  // Queries go to the training rows and not the other way round: a round of them is small, the rows of a shard are
  // not. The three collectives come in this order on every rank, also on one that has no queries left, or no rows.
  const at::Tensor all_queries = comm.all_gather(queries, counts);  // [sum m, D]
  const Neighbours local = nearest_rows(all_queries, train, first_row, k);
  const std::vector<std::int64_t> back(counts.size(), queries.size(0));
  const at::Tensor scores = comm.all_to_all(local.scores, counts, back);  // [P*m, k]
  const at::Tensor rows = comm.all_to_all(local.rows, counts, back);
  return keep_best_sorted({beside_each_other(scores, comm.size()), beside_each_other(rows, comm.size())}, k);
}

/// Example: temperature 0.1, neighbours of 0.9 with label 3 and of 0.8 and 0.8 with label 5. Their weights are 1,
/// exp(-1) and exp(-1), so label 3 has 1 / 1.736 = 0.576 of the vote and label 5 the other 0.424. At temperature 1 the
/// weights are 1, 0.905 and 0.905, and label 5 wins with 0.644.
///
/// [m, k] neighbours -> [m, classes] fp64 vote shares. The best neighbour has weight 1, so that no temperature
/// overflows.
at::Tensor vote(const Neighbours& neighbours, const at::Tensor& all_labels, const KnnOptions& options) {
  const at::Tensor exists = neighbours.rows.ne(kNoRow);  // [m, k]
  // Row 0 stands in for a missing neighbour, since its own number lies outside the labels; its weight is set to 0
  // below.
  const at::Tensor labels = all_labels.take(neighbours.rows.masked_fill(exists.logical_not(), 0));
  const at::Tensor scores = neighbours.scores.to(at::kDouble);
  const at::Tensor best = scores.slice(1, 0, 1);  // [m, 1]
  const at::Tensor weights = scores.sub(best).div_(options.temperature).exp_().masked_fill_(exists.logical_not(), 0);
  at::Tensor votes = at::zeros({scores.size(0), options.classes}, scores.options());
  votes.scatter_add_(1, labels, weights);
  return votes.div_(votes.sum(1, /*keepdim=*/true));
}

void check_arguments(const at::Tensor& rows, const at::Tensor& labels, const KnnOptions& options, const char* what) {
  if (rows.dim() != 2 || labels.dim() != 1 || rows.size(0) != labels.size(0)) {
    throw std::invalid_argument(std::string("classify_knn takes ") + what + " rows [n, D] and as many labels [n].");
  }
  if (labels.numel() > 0 &&
      (labels.min().item<std::int64_t>() < 0 || labels.max().item<std::int64_t>() >= options.classes)) {
    throw std::invalid_argument(std::string("classify_knn met a label of its ") + what + " rows outside 0.." +
                                std::to_string(options.classes - 1) + ".");
  }
}

}  // namespace

void KnnOptions::validate() const {
  if (k < 1) throw std::invalid_argument("kNN needs k of at least 1 neighbour.");
  if (!(temperature > 0.0) || !std::isfinite(temperature)) {
    throw std::invalid_argument("The kNN temperature must be positive.");
  }
  if (classes < 1) throw std::invalid_argument("kNN needs at least 1 class.");
}

KnnResult classify_knn(Communicator& comm, const at::Tensor& train, const at::Tensor& train_labels,
                       const at::Tensor& queries, const at::Tensor& query_labels, const KnnOptions& options) {
  options.validate();
  check_arguments(train, train_labels, options, "training");
  check_arguments(queries, query_labels, options, "query");
  const Sizes sizes = exchange_sizes(comm, train.size(0), queries.size(0), train.device());
  const std::int64_t train_total = sum_before(sizes.train, comm.size());
  const std::int64_t query_total = sum_before(sizes.queries, comm.size());
  // Totals are the same on every rank, so all of them throw here or none does.
  if (train_total == 0) throw std::invalid_argument("kNN needs at least one training row.");
  const std::int64_t first_row = sum_before(sizes.train, comm.rank());
  // Labels of every row are small beside the rows: replicated, so that candidates need not carry theirs.
  const at::Tensor all_labels = comm.all_gather(train_labels.contiguous(), sizes.train);  // [N]

  const std::int64_t k = std::min(options.k, train_total);
  const std::int64_t most_queries = *std::max_element(sizes.queries.begin(), sizes.queries.end());
  std::vector<at::Tensor> votes;
  // The number of rounds follows from the largest count of any rank, which all ranks know: a rank whose queries are
  // used up takes part with 0 rows, because the others still need its training rows. Example: 5,000 and 1,000 queries
  // take 3 rounds, of 2048 + 1000, 2048 + 0 and 904 + 0.
  for (std::int64_t begin = 0; begin < most_queries; begin += kRoundQueries) {
    if (options.pause) options.pause();
    std::vector<std::int64_t> counts;
    for (const std::int64_t count : sizes.queries) {
      counts.push_back(std::clamp<std::int64_t>(count - begin, 0, kRoundQueries));
    }
    const at::Tensor own = queries.slice(0, begin, begin + kRoundQueries).contiguous();
    votes.push_back(vote(nearest_over_ranks(comm, own, counts, train, first_row, k), all_labels, options));
  }

  KnnResult result;
  result.votes = votes.empty() ? at::zeros({0, options.classes}, train.options().dtype(at::kDouble)) : at::cat(votes);
  result.predictions = result.votes.argmax(1);
  // The sum is of whole numbers, so the accuracy does not depend on how queries were split over ranks.
  const at::Tensor correct = result.predictions.eq(query_labels).sum();  // int64 scalar
  comm.all_reduce(correct, ReduceOp::kSum);
  result.accuracy = static_cast<double>(correct.item<std::int64_t>()) / static_cast<double>(query_total);
  return result;
}

}  // namespace negatron
