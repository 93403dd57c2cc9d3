#include "samplers/exchange/rows/row_fetch.h"

#include <stdexcept>
#include <vector>

namespace negatron {
namespace {

using Counts = std::vector<std::int64_t>;

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

Counts counts_of(const at::Tensor& numbers) {
  const at::Tensor host = numbers.to(at::kCPU).contiguous();
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

  const at::Tensor counts = at::tensor(asked.counts, at::kLong).to(slots.device());
  // Four collectives in this order on every rank, also on one that asks for nothing:
  //   counts, the rows asked for, then vectors and labels back, which are under way together.
  const Counts asked_of_us = counts_of(comm.all_to_all(counts));
  const at::Tensor wanted =
      comm.all_to_all(places.rows.index_select(0, asked.order), asked.counts, asked_of_us);  // [A]
  Work vectors = comm.start_all_to_all(rows.vectors.index_select(0, wanted), asked_of_us, asked.counts);
  Work labels = comm.start_all_to_all(rows.labels.index_select(0, wanted), asked_of_us, asked.counts);

  const at::Tensor came = vectors.wait();  // [D, d] in the order of the ranks
  const at::Tensor came_labels = labels.wait();
  // Back from the order of the ranks into that of the distinct slots.
  FetchedRows fetched{at::empty_like(came),
                      at::empty_like(came_labels),
                      at::full_like(flat, -1),
                      {asked.order, asked.counts, wanted, asked_of_us}};
  fetched.rows.index_copy_(0, asked.order, came);
  fetched.labels.index_copy_(0, asked.order, came_labels);
  fetched.index.index_copy_(0, asking, inverse);
  fetched.index = fetched.index.view_as(slots);
  return fetched;
}

}  // namespace negatron
