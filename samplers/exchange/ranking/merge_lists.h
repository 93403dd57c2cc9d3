#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// One list of each query from the lists of P shards: lists [P, b, m] int64, each ascending -> [b, P m] ascending, on
/// the device of the lists. P m log2(P) comparisons a query, none for one shard. Local.
at::Tensor merge_lists(const at::Tensor& lists);

}  // namespace negatron
