#include "tests/reference/plain_memory.h"

#include <set>

#include "samplers/bank/random_rows.h"

namespace negatron::testing {

PlainMemory PlainMemory::start(std::int64_t capacity, std::int64_t width, std::uint64_t seed) {
  return {random_unit_rows(seed, 0, capacity, width), at::full({capacity}, -1, at::kLong),
          at::full({capacity}, -1, at::kLong)};
}

void PlainMemory::blend(const at::Tensor& ids, const at::Tensor& features, const at::Tensor& label, double momentum,
                        std::int64_t step) {
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto id = ids[i].item<std::int64_t>();
    if (!seen.insert(id).second) continue;
    const at::Tensor mixed = momentum * rows[id] + (1.0 - momentum) * features[i].to(at::kDouble);
    rows[id].copy_(is_raw ? mixed : mixed / mixed.norm());
    labels[id].copy_(label[i]);
    steps[id].fill_(step);
  }
}

}  // namespace negatron::testing
