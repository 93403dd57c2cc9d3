#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Pseudo-labels of bank rows where there are no labels: spherical k-means over the sharded bank
/// (samplers/exchange/EXCHANGE.md 9; Dhillon and Modha, Machine Learning 2001). Centroids are replicated, so each rank
/// labels any row that it has at hand by itself, and no label is stored or sent.
class BankClusters {
 public:
  static constexpr std::int64_t kNoCluster = -1;
  /// Rounds of k-means from the rows that are drawn at the start; afterwards one round every so many steps follows the
  /// bank.
  static constexpr int kFirstRounds = 10;
  static constexpr std::int64_t kStepsBetween = 50;

  /// Keeps up with the bank; `step` never goes back. Does nothing while the bank holds fewer rows than `clusters`.
  /// Collective. Bytes received per rank: in a round those of an all_reduce of C (d + 1) fp64 numbers; and those of
  /// fetch_rows for the rows that clusters start from, C at first and later one for each cluster that lost all its
  /// rows.
  void follow(Communicator& comm, const Bank& bank, std::int64_t clusters, std::uint64_t seed, std::int64_t step);

  /// vectors [m, d] of any floating dtype -> [m] int64, the cluster of each: the centroid with the largest product, of
  /// equal ones the first; kNoCluster without any. Computed in fp64, compared in fp32. Local.
  at::Tensor nearest(const at::Tensor& vectors) const;

  /// [C, d] fp64 unit rows, undefined before there are any, and the step of their last round: state of the run, to be
  /// saved and restored.
  const at::Tensor& centroids() const noexcept { return centroids_; }
  std::int64_t last_round() const noexcept { return last_round_; }
  void restore(const at::Tensor& centroids, std::int64_t last_round);

 private:
  void round(Communicator& comm, const Bank& bank, std::uint64_t seed, std::uint64_t stream);

  at::Tensor centroids_;
  std::int64_t last_round_ = 0;
};

}  // namespace negatron
