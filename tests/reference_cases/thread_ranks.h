#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"

namespace negatron::reference {

/// Runs `body` on so many ranks, which are threads of this process, and returns what rank 0 computed.
nlohmann::json on_ranks(int ranks, const std::function<nlohmann::json(Communicator&)>& body);

/// This rank's rows of something that is divided over ranks in order. Local.
at::Tensor own_part(const Communicator& comm, const at::Tensor& all);
/// The whole again, `total` rows. Collective.
at::Tensor gather(Communicator& comm, const at::Tensor& own, std::int64_t total);

/// A bank that is filled by one batch of these fp64 rows [K, d], so that row i is in slot i. Local.
Bank bank_of(const Communicator& comm, const at::Tensor& rows);

}  // namespace negatron::reference
