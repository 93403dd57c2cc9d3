#include "samplers/exchange/rows/row_fetch.h"

#include <stdexcept>
#include <vector>

namespace negatron {
namespace {

using Counts = std::vector<std::int64_t>;

/// A (slot, weight) pair names its query and its row in one number: the row takes the lower half.
constexpr std::int64_t kRowBits = 32;
constexpr std::int64_t kRowMask = (std::int64_t{1} << kRowBits) - 1;

/// Numbers in the order of the ranks that they are for.
struct Addressed {
  at::Tensor order;  // [n] positions, those for rank 0 first
  Counts counts;     // for each rank
};

Addressed address(const at::Tensor& ranks, int size) {
  const at::Tensor counts = at::bincount(ranks, {}, size).to(at::kCPU);
  const auto* count = counts.const_data_ptr<std::int64_t>();
  return {std::get<1>(ranks.sort(/*stable=*/true, 0, false)), Counts(count, count + size)};
}

Counts column(const at::Tensor& numbers, std::int64_t column) {
  const at::Tensor host = numbers.select(1, column).to(at::kCPU, at::kLong).contiguous();
  const auto* value = host.const_data_ptr<std::int64_t>();
  return Counts(value, value + host.numel());
}

BankPlaces places_of_written(const Bank& bank, const at::Tensor& slots) {
  BankPlaces places = bank.layout().places_of(slots);
  if ((places.ranks < 0).any().item<bool>()) {
    throw std::invalid_argument("row fetch: a slot was asked for that no key was written to");
  }
  return places;
}

}  // namespace

FetchedRows fetch_rows(Communicator& comm, const Bank& bank, const at::Tensor& slots) {
  // Example with 2 ranks: this rank asks for slots 7, 3, 7, none, where slot 3 lies here and slot 7 on the other.
  // Distinct they are 3, 7, so two rows are asked for, one of each rank; the index of the four entries is 1, 0, 1, -1.
  // Every rank knows by the layout where a slot lies, so what is sent are local rows and not slots.
  const Rows& rows = bank.shard().rows;
  const at::Tensor flat = slots.flatten();
  const at::Tensor asking = (flat >= 0).nonzero().squeeze(1);
  const auto [distinct, inverse, unused] = at::_unique2(flat.index_select(0, asking), /*sorted=*/true, true, false);
  const BankPlaces places = places_of_written(bank, distinct);
  const Addressed asked = address(places.ranks, comm.size());

  const at::Tensor counts = at::tensor(asked.counts, at::kLong).to(slots.device()).unsqueeze(1);
  // Four collectives in this order on every rank, also on one that asks for nothing:
  //   counts, the rows asked for, then vectors and labels back, which are under way together.
  const Counts asked_of_us = column(comm.all_to_all(counts), 0);
  const at::Tensor wanted =
      comm.all_to_all(places.rows.index_select(0, asked.order), asked.counts, asked_of_us);  // [A]
  Work vectors = comm.start_all_to_all(rows.vectors.index_select(0, wanted), asked_of_us, asked.counts);
  Work labels = comm.start_all_to_all(rows.labels.index_select(0, wanted), asked_of_us, asked.counts);

  const at::Tensor came = vectors.wait();  // [D, d] in the order of the ranks
  const at::Tensor came_labels = labels.wait();
  // Back from the order of the ranks into that of the distinct slots.
  FetchedRows fetched{at::empty_like(came), at::empty_like(came_labels), at::full_like(flat, -1)};
  fetched.rows.index_copy_(0, asked.order, came);
  fetched.labels.index_copy_(0, asked.order, came_labels);
  fetched.index.index_copy_(0, asking, inverse);
  fetched.index = fetched.index.view_as(slots);
  return fetched;
}

at::Tensor weighted_row_sums(Communicator& comm, const Bank& bank, const at::Tensor& slots, const at::Tensor& weights) {
  const std::int64_t own = slots.size(0);
  const at::Tensor flat = slots.flatten();
  const at::Tensor asking = (flat >= 0).nonzero().squeeze(1);
  const BankPlaces places = places_of_written(bank, flat.index_select(0, asking));
  const Addressed sent = address(places.ranks, comm.size());
  const at::Tensor query = at::floor_divide(asking, slots.size(1));
  const at::Tensor names = query.bitwise_left_shift(kRowBits).add_(places.rows).index_select(0, sent.order);
  const at::Tensor factors = weights.flatten().index_select(0, asking).index_select(0, sent.order);

  // How many pairs follow, and for how many queries.
  const at::Tensor counts = at::tensor(sent.counts, at::kInt).to(slots.device());
  const at::Tensor told = comm.all_to_all(at::stack({counts, at::full_like(counts, own)}, 1).contiguous());  // [P, 2]
  const Counts pairs = column(told, 0);
  const Counts queries = column(told, 1);
  Work pending_names = comm.start_all_to_all(names, sent.counts, pairs);
  Work pending_factors = comm.start_all_to_all(factors, sent.counts, pairs);
  const at::Tensor name = pending_names.wait();  // [A]
  const at::Tensor factor = pending_factors.wait();

  std::int64_t begin = 0;
  std::vector<at::Tensor> sums;  // [b of rank r, d] each
  for (std::size_t rank = 0; rank < pairs.size(); ++rank) {
    const at::Tensor named = name.narrow(0, begin, pairs[rank]);
    const at::Tensor rows =
        bank.shard().rows.vectors.index_select(0, named.bitwise_and(kRowMask)).to(weights.scalar_type());
    sums.push_back(at::zeros({queries[rank], bank.width()}, weights.options()));
    sums.back().index_add_(0, named.bitwise_right_shift(kRowBits),
                           rows * factor.narrow(0, begin, pairs[rank]).unsqueeze(1));
    begin += pairs[rank];
  }
  const at::Tensor partial = comm.all_to_all(at::cat(sums), queries, Counts(pairs.size(), own));  // [P b, d]
  // Each shard sums what it holds, and the owner adds P sums: no row travels (EXCHANGE.md 6).
  return partial.view({comm.size(), own, bank.width()}).sum(0);
}

}  // namespace negatron
