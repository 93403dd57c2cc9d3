#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "samplers/exchange/bank_exchange.h"
#include "tests/reference/plain_negatives.h"

namespace negatron::testing {

/// A bank after some steps and a batch of queries, given for the whole job. Some rows of the bank are equal, some hold
/// samples of the batch, some have no label.
struct Scene {
  BankOptions bank{53, 6, at::kDouble, at::kCPU, BankFill::kEmpty, 1, 8};
  std::vector<std::int64_t> batches;  // sizes enqueued, one a step
  at::Tensor queries;                 // [Bg, d]
  at::Tensor positives;
  at::Tensor ids;
  at::Tensor labels;

  at::Tensor keys(std::int64_t step) const;
  at::Tensor ids_of(std::int64_t step) const;
  at::Tensor labels_of(std::int64_t step) const;
  std::int64_t steps() const { return static_cast<std::int64_t>(batches.size()); }
};

/// Batches of 8 with smaller ones in between, holes, a wrap-around of the ring; queries and bank in `type`.
Scene make_scene(std::int64_t queries = 7, at::ScalarType type = at::kDouble);

/// This rank's share of `all`, in the order of share().
at::Tensor part(const at::Tensor& all, const Communicator& comm);
/// This rank's bank, and its part of the queries.
Bank make_bank(const Scene& scene, const Communicator& comm);
QueryBatch make_batch(const Scene& scene, const Communicator& comm);
PlainBank make_plain_bank(const Scene& scene);
/// All queries as one batch of one rank.
QueryBatch whole_batch(const Scene& scene);

/// A request for all queries, with what it says of rows (weights, pools) [K] by slot -> this rank's.
NegativeRequest part(const NegativeRequest& whole, const Bank& bank, const Communicator& comm);

/// What all ranks got, put together in the order of the queries, and what each received.
struct Outcome {
  NegativeResult result;
  std::map<int, std::int64_t> bytes_received;
};
Outcome run_on_ranks(const Scene& scene, const NegativeRequest& request, const std::vector<ScoreTerm>& terms,
                     int ranks);

/// The same answer as the plain twin on 1 to 4 ranks: keys and counts exactly, values to 1e-12 (fp64) or 1e-6 (fp32).
void expect_plain(const Scene& scene, const NegativeRequest& request, const std::vector<ScoreTerm>& terms);
/// For fp64 and fp32 scenes, with log-sum-exps at tau 0.2 and 0.01, a hinge sum with an offset for each query and terms
/// over further positives.
void expect_plain(const NegativeRequest& request);
std::vector<ScoreTerm> usual_terms(const Scene& scene);

std::int64_t bytes_received(const Communicator& comm);
/// Of an all_reduce of so many bytes' worth of elements, on this rank.
std::int64_t all_reduce_bytes(const Communicator& comm, std::int64_t elements, std::int64_t element_size);

}  // namespace negatron::testing
