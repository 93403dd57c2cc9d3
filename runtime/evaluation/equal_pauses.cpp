#include "runtime/evaluation/equal_pauses.h"

#include <algorithm>

#include "comm/share.h"

namespace negatron {

EqualPauses::EqualPauses(const Communicator& comm, std::int64_t count, std::int64_t batch, const Pause& pause)
    : pause_(pause) {
  // Example: 1001 images over 2 ranks are 501 and 500, in batches of 500 two batches and one: both take two pauses.
  std::int64_t most = 1;
  for (const std::int64_t size : share_sizes(count, comm.size())) most = std::max(most, size);
  left_ = (most + batch - 1) / batch;
}

FeatureFunction EqualPauses::before_each(const FeatureFunction& function) {
  return [this, &function](const at::Tensor& inputs) {
    take();
    return function(inputs);
  };
}

void EqualPauses::finish() {
  while (left_ > 0) take();
}

void EqualPauses::take() {
  --left_;
  if (pause_) pause_();
}

}  // namespace negatron
