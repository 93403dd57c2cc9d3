#include "runtime/encoders/view_pair.h"

#include <tuple>

namespace negatron {

at::Tensor ViewPair::query() {
  if (encoders_.has_momentum_encoder()) return encoders_.query(view_a_);
  at::Tensor queries;
  // Without a key encoder both views pass through the same weights at once, and keys wait here until they are asked
  // for.
  std::tie(queries, keys_) = encoders_.both(view_a_, view_b_);
  return queries;
}

at::Tensor ViewPair::key() {
  return keys_.defined() ? keys_ : encoders_.key(view_b_);
}

}  // namespace negatron
