#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <ATen/ATen.h>

#include "comm/staging.h"
#include "comm/work.h"

namespace negatron {

/// Starts `run` on a copy, at home, of a tensor that lies on the other side. What it returns holds both until it is
/// done, and gives the result back to the tensor's side: into the tensor itself when `run` works in place, that is when
/// its result is the copy. A host that waits for a device looks again and again, so that a failure or a time-out is
/// thrown and not waited out. `count` is told of the bytes of each copy. `staging` outlives the work. Local.
std::unique_ptr<Work::Pending> run_staged(const Staging& staging, const at::Tensor& tensor,
                                          const std::function<std::unique_ptr<Work::Pending>(const at::Tensor&)>& run,
                                          std::function<void(std::int64_t)> count);

}  // namespace negatron
