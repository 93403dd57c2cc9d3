#pragma once

#include <cstdint>
#include <utility>

#include <ATen/ATen.h>

namespace negatron {

/// The columns of a message [n, c], taken from left to right: what one rank packed, another unpacks in the same order.
class Columns {
 public:
  explicit Columns(at::Tensor message) : message_(std::move(message)) {}
  /// The next `count` columns, [n, count]; a view.
  at::Tensor next(std::int64_t count) {
    at_ += count;
    return message_.narrow(1, at_ - count, count);
  }
  /// The next column, [n]; a view.
  at::Tensor next() { return next(1).squeeze(1); }

 private:
  at::Tensor message_;
  std::int64_t at_ = 0;
};

}  // namespace negatron
