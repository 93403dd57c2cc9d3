#pragma once

#include <cstdint>
#include <memory>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/query_batch.h"

namespace negatron {

/// Shards times replicas: the P ranks form P / S groups of S consecutive ranks, and each group holds one whole copy of
/// the bank, sharded over its members (samplers/exchange/EXCHANGE.md 10). Queries then travel inside a group only,
/// where the network is fast; keys travel to every group. All copies hold the same rows, bit for bit, and answers do
/// not depend on S. With S = P there is one copy and no key moves.
class BankMesh {
 public:
  /// Collective. Throws std::invalid_argument unless `shards` divides the number of ranks. `comm` outlives the mesh.
  BankMesh(Communicator& comm, int shards);

  /// The ranks that share a copy with this one; the bank is laid out over them.
  Communicator& group() noexcept { return group_ ? *group_ : comm_; }
  /// How the queries of a global batch are split over the group.
  QueryShares group_shares(std::int64_t global_batch) const;
  /// And over all ranks.
  QueryShares whole_shares(std::int64_t global_batch) const;

  /// Collective over all ranks. Bank::enqueue with this rank's share of the keys of all ranks, wherever they belong.
  /// Bytes received per rank, with more than one copy and w bytes an element of the keys: at most
  /// ceil(Bg / S) (d w + 16). With one copy none.
  void enqueue(Bank& bank, const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
               std::int64_t global_batch);

 private:
  Communicator& comm_;
  int shards_;
  /// Absent with one copy.
  std::unique_ptr<Communicator> group_;
};

}  // namespace negatron
