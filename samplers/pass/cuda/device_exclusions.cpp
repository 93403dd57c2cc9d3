#include "samplers/pass/cuda/device_exclusions.h"

#include <span>

#include "samplers/pass/exclusion_list.h"

namespace negatron {

DeviceExclusions DeviceExclusions::of(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows,
                                      at::Device device) {
  return pairs.device() == device ? in_place(pairs) : from_host(pairs, queries, rows, device);
}

DeviceExclusions DeviceExclusions::from_host(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows,
                                             at::Device device) {
  const ExclusionList list(pairs, queries, rows);
  const std::span<const ExcludedPair> ordered = list.of({0, rows});
  // A copy from pinned memory is queued; from other memory the host would wait for the device.
  const at::Tensor host = at::empty({static_cast<std::int64_t>(ordered.size()), 2},
                                    at::TensorOptions(at::kInt).pinned_memory(device.is_cuda()));
  auto* number = host.data_ptr<std::int32_t>();
  for (const ExcludedPair& pair : ordered) {
    *number++ = static_cast<std::int32_t>(pair.row);
    *number++ = static_cast<std::int32_t>(pair.query);
  }
  return DeviceExclusions(host.to(device, /*non_blocking=*/true));
}

DeviceExclusions DeviceExclusions::in_place(const at::Tensor& pairs) {
  // Nothing is removed, since the host would have to wait to learn how much is left. Pairs that exclude nothing become
  // (-1, -1) and sort before row 0, where no chunk begins: the first chunk's pairs begin behind them.
  const at::Tensor none = (pairs < 0).any(1, /*keepdim=*/true);
  const at::Tensor own = pairs.masked_fill(none, -1).flip(1);
  return DeviceExclusions(own.index_select(0, own.select(1, 0).argsort()).to(at::kInt));
}

at::Tensor DeviceExclusions::chunk_begins(std::int64_t chunks, std::int64_t chunk_rows) const {
  const at::Tensor first_rows = at::arange(chunks + 1, pairs_.options()).mul_(chunk_rows);
  return at::searchsorted(pairs_.select(1, 0).contiguous(), first_rows, /*out_int32=*/true);
}

at::Tensor DeviceExclusions::count(std::int64_t queries) const {
  const at::Tensor query = pairs_.select(1, 1);
  const at::Tensor count = at::zeros({queries}, pairs_.options().dtype(at::kLong));
  // A pair that excludes nothing adds 0 to query 0.
  return count.index_add_(0, query.clamp_min(0), (query >= 0).to(at::kLong));
}

}  // namespace negatron
