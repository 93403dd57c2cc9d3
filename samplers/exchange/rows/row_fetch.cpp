#include "samplers/exchange/rows/row_fetch.h"

#include "comm/queued_copy.h"
#include "samplers/exchange/rows/row_route.h"

namespace negatron {
namespace {

at::Tensor behind(const at::Tensor& came, const at::Tensor& own) {
  return came.size(0) == 0 ? own : at::cat({came, own});
}

}  // namespace

FetchedRows fetch_rows(Communicator& comm, const Bank& bank, const at::Tensor& slots) {
  const Rows& rows = bank.shard().rows;
  const at::Device device = rows.vectors.device();
  const auto on_device = [&](const std::vector<std::int64_t>& numbers) {
    return queued_copy(at::tensor(numbers, at::kLong), device);
  };
  const RowRoute route = asked_row_route(comm, bank, slots.flatten().cpu());
  const at::Tensor wanted = on_device(route.wanted);
  // Two further collectives in this order on every rank, which are under way together: vectors and labels.
  Work vectors = start_to_askers(comm, route, rows.vectors.index_select(0, wanted));
  Work labels = start_to_askers(comm, route, rows.labels.index_select(0, wanted));

  const at::Tensor own = on_device(route.own);
  const at::Tensor own_vectors = rows.vectors.index_select(0, own);
  const at::Tensor own_labels = rows.labels.index_select(0, own);
  const at::Tensor came = vectors.wait();
  return {behind(came, own_vectors), behind(labels.wait(), own_labels),
          queued_copy(at::tensor(route.index, at::kLong), slots.device()).view(slots.sizes())};
}

}  // namespace negatron
