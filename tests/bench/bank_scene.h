#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/bank/random_rows.h"
#include "samplers/exchange/query_batch.h"

/// A filled bank over the ranks of a job and queries to it: what exchanges are measured and counted on.
namespace negatron::testing {

inline constexpr std::int64_t kRows = 65536;
inline constexpr std::int64_t kWidth = 128;
inline constexpr std::int64_t kHardest = 1024;
inline constexpr std::int64_t kGlobalBatch = 256;
inline constexpr std::uint64_t kBankSeed = 3;
inline constexpr std::uint64_t kQuerySeed = 4;

/// Slot s holds random row s.
inline Bank make_bank(const Communicator& comm, at::ScalarType dtype) {
  return Bank({kRows, kWidth, dtype, at::kCPU, BankFill::kRandom, kBankSeed, kGlobalBatch}, comm.rank(), comm.size());
}

/// As many queries on each rank.
inline QueryBatch make_queries(const Communicator& comm, std::int64_t queries_per_rank) {
  QueryBatch batch;
  batch.queries = random_unit_rows(kQuerySeed, comm.rank() * queries_per_rank, queries_per_rank, kWidth).to(at::kFloat);
  batch.shares = {std::vector<std::int64_t>(static_cast<std::size_t>(comm.size()), queries_per_rank), 0};
  return batch;
}

}  // namespace negatron::testing
