#include "launch/broadcast_text.h"

#include <cstring>

namespace negatron {

std::string broadcast_text(Communicator& comm, const std::string& text) {
  const at::Tensor length = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  comm.broadcast(length, 0);
  const at::Tensor bytes = at::zeros({length.item<std::int64_t>()}, at::kByte);
  if (comm.rank() == 0) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  comm.broadcast(bytes, 0);
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

}  // namespace negatron
