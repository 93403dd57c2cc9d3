#include "runtime/encoders/channels_last.h"

namespace negatron {

at::Tensor with_channels_last(const at::Tensor& images) {
  if (images.scalar_type() != at::kFloat) return images;
  return images.to(images.options(), /*non_blocking=*/false, /*copy=*/false, at::MemoryFormat::ChannelsLast);
}

}  // namespace negatron
