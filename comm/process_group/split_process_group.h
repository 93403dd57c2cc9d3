#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <string>
#include <vector>

namespace negatron {

/// A process group for host tensors of those ranks of `parent`, this one among them, in order. All of them pass the
/// same `name`, which no other group has. Collective over them. Throws c10::Error when the backend cannot be divided.
c10::intrusive_ptr<c10d::ProcessGroup> split_process_group(const c10::intrusive_ptr<c10d::ProcessGroup>& parent,
                                                           const std::vector<int>& members, const std::string& name);

}  // namespace negatron
