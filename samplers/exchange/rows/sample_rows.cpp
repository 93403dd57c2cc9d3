#include "samplers/exchange/rows/sample_rows.h"

#include <numeric>
#include <unordered_set>

#include <ATen/core/grad_mode.h>

#include "comm/queued_copy.h"
#include "comm/require.h"
#include "comm/share.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

using Counts = std::vector<std::int64_t>;

at::Tensor on_device(const Counts& numbers, at::Device device) {
  return queued_copy(at::tensor(numbers, at::kLong), device);
}

}  // namespace

SampleRows::SampleRows(Communicator& comm, Communicator& group, Bank& bank, const at::Tensor& ids)
    : comm_(comm), group_(group), bank_(bank) {
  const auto outside = (ids < 0) | (ids >= bank.capacity());
  require(!outside.any().item<bool>(), "SampleRows: a sample has no row in this memory bank");
  const Counts sizes = share_sizes(ids.size(0), comm.size());
  // Groups are consecutive ranks, and so are their samples in the batch.
  const int first = comm.rank() / group.size() * group.size();
  const Counts inside(sizes.begin() + first, sizes.begin() + first + group.size());
  const std::int64_t begin = std::accumulate(sizes.begin(), sizes.begin() + first, std::int64_t{0});
  const std::int64_t count = std::accumulate(inside.begin(), inside.end(), std::int64_t{0});
  inside_ = make_route(group, ids.narrow(0, begin, count), inside);
  everywhere_ = make_route(comm, ids, sizes);
}

// Example: 6 samples on 2 ranks, so rank 0 owns the rows of samples 0 to 2, rank 1 those of 3 to 5. The batch is the
// samples 4, 1 | 0, 5. Rank 0 asks owner 0 for sample 1 and owner 1 for sample 4: its positions are 1, 0. As an owner
// it is asked by rank 0 for row 1 and by rank 1 for row 0. With two copies over 4 ranks, rank 2 owns what rank 0 owns,
// so a rank that gives rows back gives each to one rank of both copies.
SampleRows::Route SampleRows::make_route(const Communicator& comm, const at::Tensor& ids, const Counts& sizes) const {
  const int shards = bank_.layout().ranks();
  const BankPlaces places = bank_.layout().places_of(ids);
  const auto* owner = places.ranks.const_data_ptr<std::int64_t>();
  const auto* row = places.rows.const_data_ptr<std::int64_t>();
  Route route;
  std::int64_t begin = 0;
  for (int asker = 0; asker < comm.size(); ++asker) {
    const std::int64_t end = begin + sizes[static_cast<std::size_t>(asker)];
    std::int64_t asked = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      if (owner[i] != bank_.rank()) continue;
      route.rows.push_back(row[i]);
      ++asked;
    }
    route.by_asker.push_back(asked);
    if (asker == comm.rank()) {
      for (int rank = 0; rank < comm.size(); ++rank) {
        const std::size_t before = route.positions.size();
        for (std::int64_t i = begin; i < end; ++i) {
          if (owner[i] == rank % shards) route.positions.push_back(i - begin);
        }
        route.by_owner.push_back(static_cast<std::int64_t>(route.positions.size() - before));
      }
    }
    begin = end;
  }
  return route;
}

at::Tensor SampleRows::fetch() const {
  const at::NoGradGuard no_grad;
  const at::Tensor& stored = bank_.shard().rows.vectors;
  const at::Tensor wanted = stored.index_select(0, on_device(inside_.rows, stored.device()));
  const at::Tensor came = group_.all_to_all(wanted, inside_.by_asker, inside_.by_owner);
  // Back from the order of the owners into that of the samples.
  return at::empty_like(came).index_copy_(0, on_device(inside_.positions, stored.device()), came);
}

void SampleRows::blend(const at::Tensor& features, const at::Tensor& labels, double momentum, std::int64_t step) const {
  const at::NoGradGuard no_grad;
  const at::Device device = features.device();
  const at::Tensor positions = on_device(everywhere_.positions, device);
  const auto give = [&](const at::Tensor& values) {
    return comm_.all_to_all(values.index_select(0, positions), everywhere_.by_owner, everywhere_.by_asker);
  };
  // Two all_to_alls, in this order on every rank.
  const at::Tensor came = give(features.detach());
  const at::Tensor came_labels = labels.defined() ? give(queued_copy(labels, device)) : at::Tensor();
  // Rows came in the order of the batch. A sample that stood in for a broken image may be there twice; one of them
  // writes its row, the same one on any number of ranks.
  Counts kept;
  Counts rows;
  std::unordered_set<std::int64_t> seen;
  for (std::size_t i = 0; i < everywhere_.rows.size(); ++i) {
    if (!seen.insert(everywhere_.rows[i]).second) continue;
    kept.push_back(static_cast<std::int64_t>(i));
    rows.push_back(everywhere_.rows[i]);
  }
  const at::Tensor keep = on_device(kept, device);
  const at::Tensor own = bank_.shard().rows.vectors.index_select(0, on_device(rows, device));
  const at::Tensor mixed = blended(own, came.index_select(0, keep), momentum, bank_.options().length);
  bank_.replace(at::tensor(rows, at::kLong), mixed,
                came_labels.defined() ? came_labels.index_select(0, keep) : at::Tensor(), step);
}

at::Tensor blended(const at::Tensor& rows, const at::Tensor& features, double momentum, RowLength length) {
  const at::ScalarType wide = features.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor fresh = features.to(wide);
  // Of distances the vectors are mixed, and their two further numbers made anew: those of a mean are not the mean.
  const at::Tensor mixed = momentum * vectors_of_rows(rows, length).to(wide) + (1.0 - momentum) * fresh;
  // The mean of raw rows is one, of whatever length it comes to; that of unit rows is shorter than they are.
  if (length != RowLength::kUnit) return rows_of_vectors(mixed, length);
  const at::Tensor norms = mixed.norm(2, /*dim=*/1, /*keepdim=*/true);
  return at::where(norms > 0.0, mixed / norms, fresh);
}

}  // namespace negatron
