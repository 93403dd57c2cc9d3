#include "runtime/data/views/erase.h"

#include <algorithm>

#include "comm/share.h"
#include "runtime/data/views/pixel_middles.h"

namespace negatron {
namespace {

/// Pixels whose middles, [count] in growing order, lie in low..high, without high itself.
Range pixels_between(const at::Tensor& middles, float low, float high) {
  const auto* begin = middles.const_data_ptr<float>();
  const auto* end = begin + middles.numel();
  return {std::lower_bound(begin, end, low) - begin, std::lower_bound(begin, end, high) - begin};
}

}  // namespace

void erase(at::Tensor& views, std::span<const ViewParameters> parameters) {
  const at::Tensor x = pixel_middles(views.size(3));
  const at::Tensor y = pixel_middles(views.size(2));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const ErasedBox& box = parameters[i].erased;
    if (box.right == box.left) continue;
    const Range columns = pixels_between(x, box.left, box.right);
    const Range lines = pixels_between(y, box.top, box.bottom);
    views[static_cast<std::int64_t>(i)].slice(2, columns.begin, columns.end).slice(1, lines.begin, lines.end).zero_();
  }
}

}  // namespace negatron
