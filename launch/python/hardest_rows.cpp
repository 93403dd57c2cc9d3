#include "launch/python/hardest_rows.h"

#include "samplers/pass/selection/selection_key.h"

namespace negatron::python {
namespace {

/// Of a row that is another rank's: below every id.
constexpr std::int64_t kNotHere = -2;

/// [b, N] the ids of slots of the whole bank: every rank fills in those of its own rows. Collective.
at::Tensor ids_of_slots(Communicator& comm, const Bank& bank, const at::Tensor& slots, const QueryShares& shares) {
  const at::Tensor all = comm.all_gather(slots, shares.sizes);  // [Bg, N]
  const BankPlaces places = bank.layout().places_of(all);
  const at::Tensor here = places.ranks == comm.rank();
  const at::Tensor rows = at::where(here, places.rows, bank.shard().ids.size(0));
  // One more, which stands for all rows of other ranks: a shard may be without any.
  const at::Tensor known = at::cat({bank.shard().ids, at::full({1}, kNotHere, at::kLong)});
  const at::Tensor own = known.index_select(0, rows.flatten()).view_as(rows);
  comm.all_reduce(own, ReduceOp::kMax);
  return own.clamp_min(-1).narrow(0, shares.begin(comm.rank()), shares.size(comm.rank()));
}

}  // namespace

HardestRows hardest_rows(Communicator& comm, const Bank& bank, BankExchange& exchange, const at::Tensor& queries,
                         const std::vector<std::int64_t>& sizes, std::int64_t count) {
  const at::NoGradGuard no_grad;
  NegativeRequest request;
  request.sets.clear();
  request.exclude_own_sample = false;
  request.report_hardest = count;
  request.needs_largest = false;
  QueryBatch batch;
  batch.queries = queries.detach();
  batch.shares.sizes = sizes;
  const NegativeResult result = exchange.run(comm, bank, batch, request, {});
  const at::Tensor slots = slots_of_keys(result.hardest).cpu().contiguous();
  const at::Tensor ids = ids_of_slots(comm, bank, slots, batch.shares);
  return {scores_of_keys(result.hardest), slots.to(queries.device()), ids.to(queries.device())};
}

}  // namespace negatron::python
