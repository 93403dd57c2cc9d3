#pragma once

#include <memory>

#include "comm/communicator.h"

namespace negatron {

/// A group over NCCL with the ranks of `bootstrap`; works on tensors of `device`; host tensors are staged. Collectives
/// run on a stream of their own and are ordered against the caller's current stream; a watchdog thread ends the group
/// when one of them exceeds the time limit, and the next call throws. Before NCCL is touched, ranks that share a GPU
/// are refused.
///
/// The host side (barrier, agree, split, checked mode) goes over a split of `bootstrap`, which also carries NCCL's id.
/// Collective. Throws CommError, also in a build without CUDA.
std::unique_ptr<Communicator> make_nccl_communicator(Communicator& bootstrap, int device,
                                                     const CommunicatorOptions& options);

}  // namespace negatron
