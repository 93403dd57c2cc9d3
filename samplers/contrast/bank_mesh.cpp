#include "samplers/contrast/bank_mesh.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "comm/share.h"

namespace negatron {
namespace {

Range overlap(const Range& left, const Range& right) {
  const std::int64_t begin = std::max(left.begin, right.begin);
  return {begin, std::max(begin, std::min(left.end, right.end))};
}

}  // namespace

BankMesh::BankMesh(Communicator& comm, int shards) : comm_(comm), shards_(shards) {
  if (shards < 1 || comm.size() % shards != 0) {
    throw std::invalid_argument("a bank in " + std::to_string(shards) + " shards does not divide " +
                                std::to_string(comm.size()) + " ranks");
  }
  if (shards < comm.size()) group_ = comm.split(comm.rank() / shards);
}

QueryShares BankMesh::group_shares(std::int64_t global_batch) const {
  const QueryShares whole = whole_shares(global_batch);
  const int first_rank = comm_.rank() / shards_ * shards_;
  const auto begin = whole.sizes.begin() + first_rank;
  return {{begin, begin + shards_}, whole.begin(first_rank)};
}

QueryShares BankMesh::whole_shares(std::int64_t global_batch) const {
  return {share_sizes(global_batch, comm_.size()), 0};
}

void BankMesh::enqueue(Bank& bank, const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels,
                       std::int64_t step, std::int64_t global_batch) {
  if (!group_) {
    bank.enqueue(keys, ids, labels, step, global_batch);
    return;
  }
  // Example: 4 ranks, 2 shards, so ranks 0, 1 and ranks 2, 3 hold a copy each, and a batch of 6 keys. Shares of the
  // batch are 2, 2, 1, 1 keys, shards are keys 0 to 2 and 3 to 5. Rank 1 made keys 2 and 3: key 2 goes to ranks 0 and
  // 2, key 3 to ranks 1 and 3. It sends the rows 0, 1, 0, 1 of its own, one to each rank. Rank 0 receives two keys of
  // itself and one of rank 1. Every rank computes all counts by itself, so none travel.
  const int ranks = comm_.size();
  const Range own = share(global_batch, ranks, comm_.rank());
  const Range shard = share(global_batch, shards_, comm_.rank() % shards_);
  // Rows go to one shard of every copy. A shard may need rows of the middle of a share, so they are sent in the order
  // of their receivers, one row for each receiver.
  std::vector<std::int64_t> send_rows;
  std::vector<std::int64_t> receive_rows;
  std::vector<at::Tensor> order;
  for (int rank = 0; rank < ranks; ++rank) {
    const Range sent = overlap(own, share(global_batch, shards_, rank % shards_));
    send_rows.push_back(sent.size());
    receive_rows.push_back(overlap(share(global_batch, ranks, rank), shard).size());
    order.push_back(at::arange(sent.begin - own.begin, sent.begin - own.begin + sent.size(), at::kLong));
  }
  const at::Tensor rows = at::cat(order);
  const auto spread = [&](const at::Tensor& values) {
    return comm_.all_to_all(values.index_select(0, rows.to(values.device())).contiguous(), send_rows, receive_rows);
  };
  // Ids and labels share a message; keys and marks are two all_to_alls, in this order on every rank.
  const at::Tensor unknown = at::full_like(ids, -1);
  const at::Tensor marks = at::stack({ids, labels.defined() ? labels.to(ids.device()) : unknown}, 1).to(keys.device());
  const at::Tensor spread_keys = spread(keys.detach());
  const at::Tensor spread_marks = spread(marks).cpu();
  bank.enqueue(spread_keys, spread_marks.select(1, 0).contiguous(), spread_marks.select(1, 1).contiguous(), step,
               global_batch);
}

}  // namespace negatron
