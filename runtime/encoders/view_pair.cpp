#include "runtime/encoders/view_pair.h"

namespace negatron {

at::Tensor ViewPair::query() {
  const bool makes_keys = encoders_.makes_both();
  if (!makes_keys && parts_.count == 1) return encoders_.query(view_a_);
  std::vector<at::Tensor> views{view_a_};
  if (makes_keys) {
    views.push_back(view_b_);
    views.insert(views.end(), mined_.begin(), mined_.end());
  }
  at::Tensor rows;  // [V b, d]
  if (parts_.count > 1) {
    EncoderPair& encoders = encoders_;
    pass_.emplace([&encoders](const at::Tensor& images) { return encoders.query(images); }, encoders.trained(), views,
                  parts_);
    rows = pass_->rows();
  } else {
    rows = encoders_.together(views);
  }
  const std::int64_t size = view_a_.size(0);
  // Without a key encoder all views pass through the same weights, and keys wait here until they are asked for.
  if (makes_keys) keys_ = rows.narrow(0, size, size);
  if (makes_keys && !mined_.empty()) {
    const auto count = static_cast<std::int64_t>(mined_.size());
    mined_rows_ = rows.narrow(0, 2 * size, count * size).view({count, size, rows.size(1)}).transpose(0, 1);
  }
  return rows.narrow(0, 0, size);
}

at::Tensor ViewPair::key() {
  if (keys_.defined()) return keys_;
  if (parts_.count == 1) return encoders_.key(view_b_);
  return rows_in_parts([this](const at::Tensor& images) { return encoders_.key(images); }, {view_b_}, parts_);
}

}  // namespace negatron
