#include "samplers/exchange/ranking/padded_keys.h"

namespace negatron {

at::Tensor padded_keys(const RaggedKeys& keys, std::int64_t width) {
  at::Tensor result = at::full({keys.counts.size(0), width}, kAfterAllKeys, keys.keys.options());
  // Counts 2, 0, 1 make queries 0, 0, 2 and begins 0, 2, 2, so the places within a query are 0, 1, 0. A query without
  // keys is a row of "none".
  const at::Tensor query = at::repeat_interleave(keys.counts);  // [sum(counts)]
  const at::Tensor begin = keys.counts.cumsum(0) - keys.counts;
  const at::Tensor place = at::arange(keys.keys.size(0), keys.keys.options()) - begin.index_select(0, query);
  result.view(-1).index_copy_(0, query * width + place, keys.keys);
  return result;
}

}  // namespace negatron
