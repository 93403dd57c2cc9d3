#pragma once

#include <cstdint>
#include <vector>

#include "samplers/exchange/ranking/row_pool.h"

namespace negatron {

/// MoCHi's synthetic negatives of one step (Kalantidis et al., NeurIPS 2020; samplers/exchange/EXCHANGE.md 7 and 8):
/// from the `hard` best candidates of each query, by q . n, `pairs` mixes h = normalise(alpha n_i + (1 - alpha) n_j),
/// alpha ~ U(0, 1), and `query_mixes` mixes h' = normalise(beta q + (1 - beta) n_j), beta ~ U(0, max_query_share). They
/// are appended to the query's negatives. A query with fewer than `hard` candidates gets none.
struct MixRecipe {
  enum class Mode {
    /// Pairs are drawn from the whole hard set; the rows that are drawn travel to the query's owner.
    kFetch,
    /// Only pairs of rows that came from the same position of the global batch, hence lie on one rank whatever the
    /// number of ranks: no row travels. Another distribution of pairs, uniform over those that qualify.
    kNoFetch
  };
  Mode mode = Mode::kFetch;
  std::int64_t hard = 0;         // N
  std::int64_t pairs = 0;        // s
  std::int64_t query_mixes = 0;  // s'
  /// n_i and n_j differ; else both are drawn independently.
  bool distinct = true;
  /// The gradient also flows through the query inside h'.
  bool attached = false;
  double max_query_share = 0.5;
  /// Not the best of the whole bank: the union of the best rows of each of these disjoint pools, `hard` in all. A query
  /// must have all that each pool asks for. Several pools are for kFetch only.
  std::vector<HardPool> pools;
  /// Of the hard set, at most this share of N may be of one label; what is above is left out of mixing. 1 for no limit
  /// (kFetch only; needs labels in the bank, or pseudo-labels).
  double max_label_share = 1.0;
  /// Above 0, the labels meant here are pseudo-labels: the nearest of so many clusters of the bank (BankClusters). No
  /// row has one while the bank holds fewer rows than that.
  std::int64_t clusters = 0;
  /// Rows of the query's own cluster are left out of mixing (kFetch only; needs pseudo-labels).
  bool skip_own_cluster = false;
  std::uint64_t seed = 0;
  std::int64_t step = 0;
};

}  // namespace negatron
