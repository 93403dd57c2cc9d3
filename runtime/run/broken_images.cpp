#include "runtime/run/broken_images.h"

#include <vector>

namespace negatron {
namespace {

/// Collective. Different numbers among those of all ranks; `own`: [n] int64.
std::int64_t count_different(Communicator& host, const at::Tensor& own) {
  const at::Tensor counts = host.all_gather(at::full({1}, own.size(0), at::kLong));  // [P]
  const auto* first = counts.const_data_ptr<std::int64_t>();
  const std::vector<std::int64_t> rows(first, first + counts.numel());
  // In another epoch an image belongs to another rank, which meets it anew.
  return std::get<0>(at::_unique(host.all_gather(own, rows))).size(0);
}

}  // namespace

// Every rank makes the same four calls, also where it has met none, and where there is no test part.
BrokenImages count_broken_images(Communicator& host, const PretrainData& data) {
  const at::Tensor none = at::empty({0}, at::kLong);
  BrokenImages broken;
  broken.train = count_different(host, data.train->broken_images());
  broken.test = count_different(host, data.test == nullptr ? none : data.test->broken_images());
  return broken;
}

}  // namespace negatron
