#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "comm/communicator_options.h"

namespace negatron {

/// A group whose bytes a process group of torch.distributed carries ("torch"): that which is registered in this process
/// under `group_name`, the group_name of Python's object. It must have a backend for host tensors, as gloo, and keeps
/// living as long as this does; tensors of a device are staged (staging.h). Sums are those of any host transport: in
/// rank order, and so the same bits as over MPI.
///
/// Other messages of the group may be in flight, as those of DistributedDataParallel, as long as all ranks issue them
/// and ours in the same order. Collective. Throws CommError when there is no such group, or when it has no backend for
/// host tensors.
std::unique_ptr<Communicator> make_process_group_communicator(const std::string& group_name,
                                                              const CommunicatorOptions& options);

}  // namespace negatron
