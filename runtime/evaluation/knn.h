#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/evaluation/equal_pauses.h"

namespace negatron {

/// Weighted k-nearest-neighbour classification: each of the k most similar training rows votes for its label with
/// weight exp(similarity / temperature).
struct KnnOptions {
  std::int64_t k = 200;
  double temperature = 0.1;
  std::int64_t classes = 10;
  /// Before each round of queries. May be empty.
  Pause pause{};

  /// Throws std::invalid_argument with one sentence that names the option.
  void validate() const;
};

struct KnnResult {
  /// Share of the queries of all ranks that are classified right; the same on every rank.
  double accuracy = 0.0;
  at::Tensor predictions;  // [m] int64, own queries
  at::Tensor votes;        // [m, classes] fp64, own queries: share of the vote of each class
};

/// Collective. Classifies this rank's queries against the training rows of all ranks.
///
/// train [n, D] and queries [m, D]: unit rows of one dtype and device, any number on any rank, in rank order one global
/// list each; labels [n], [m] int64, below `classes`. Exact: scores of one tile at a time, equal scores go by global
/// training row. Fewer than k training rows: all of them vote. No training row at all is std::invalid_argument.
/// Bytes: each query row goes to every rank, 12 (fp64: 16) bytes per neighbour come back from every rank, and 8 per
/// training row for the labels go to every rank.
KnnResult classify_knn(Communicator& comm, const at::Tensor& train, const at::Tensor& train_labels,
                       const at::Tensor& queries, const at::Tensor& query_labels, const KnnOptions& options);

}  // namespace negatron
