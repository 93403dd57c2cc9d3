#include "runtime/encoders/view_pair.h"

#include <tuple>

namespace negatron {

at::Tensor ViewPair::query() {
  const bool makes_keys = encoders_.makes_both();
  if (parts_.count > 1) {
    EncoderPair& encoders = encoders_;
    const std::vector<at::Tensor> views = makes_keys ? std::vector{view_a_, view_b_} : std::vector{view_a_};
    pass_.emplace([&encoders](const at::Tensor& images) { return encoders.query(images); }, encoders.trained(), views,
                  parts_);
    const at::Tensor& rows = pass_->rows();
    const std::int64_t size = view_a_.size(0);
    if (makes_keys) keys_ = rows.narrow(0, size, size);
    return rows.narrow(0, 0, size);
  }
  if (!makes_keys) return encoders_.query(view_a_);
  at::Tensor queries;
  // Without a key encoder both views pass through the same weights at once, and keys wait here until they are asked
  // for.
  std::tie(queries, keys_) = encoders_.both(view_a_, view_b_);
  return queries;
}

at::Tensor ViewPair::key() {
  if (keys_.defined()) return keys_;
  if (parts_.count == 1) return encoders_.key(view_b_);
  return rows_in_parts([this](const at::Tensor& images) { return encoders_.key(images); }, {view_b_}, parts_);
}

}  // namespace negatron
