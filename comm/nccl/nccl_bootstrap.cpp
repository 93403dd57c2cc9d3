#include "comm/nccl/nccl_bootstrap.h"

#include <cstring>

#include "comm/error.h"
#include "comm/nccl/cuda_stream.h"
#include "comm/nccl/nccl_handle.h"
#include "comm/rank_texts.h"

namespace negatron {

void refuse_shared_device(Communicator& side, int device) {
  const std::vector<std::string> identities = gather_equal_texts(side, device_identity(device));
  // All ranks compare the same list in the same order, so all of them throw, and name the same pair.
  for (std::size_t second = 1; second < identities.size(); ++second) {
    for (std::size_t first = 0; first < second; ++first) {
      if (identities[first] != identities[second]) continue;
      throw CommError("ranks " + std::to_string(first) + " and " + std::to_string(second) +
                      " share one GPU, which NCCL does not support; start one rank per GPU");
    }
  }
}

std::string shared_nccl_id(Communicator& side) {
  const at::Tensor bytes = at::zeros({static_cast<std::int64_t>(kNcclIdBytes)}, at::kByte);
  if (side.rank() == 0) std::memcpy(bytes.mutable_data_ptr(), make_nccl_id().data(), kNcclIdBytes);
  side.broadcast(bytes, 0);
  // No rank connects before all have the id: rank 0 would drop connections that come too early.
  side.barrier();
  return {static_cast<const char*>(bytes.const_data_ptr()), kNcclIdBytes};
}

}  // namespace negatron
