#pragma once

#include <cstdint>

#include "comm/communicator.h"
#include "runtime/run/pretrain_data.h"

namespace negatron {

/// How many different images could not be read, over all ranks.
struct BrokenImages {
  std::int64_t train = 0;
  std::int64_t test = 0;
};

/// Collective: which images a rank met is known to it alone. `host` carries host tensors.
BrokenImages count_broken_images(Communicator& host, const PretrainData& data);

}  // namespace negatron
