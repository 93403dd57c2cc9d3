#include "launch/thread_budget.h"

#include <sched.h>
#include <unistd.h>

#include <cstring>

namespace negatron {
namespace {

constexpr std::size_t kHostNameBytes = 256;

/// Host name and CPU mask of this rank, as one row of bytes: [1, kHostNameBytes + sizeof(cpu_set_t)] uint8.
at::Tensor placement(int& bound_cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  bound_cores = CPU_COUNT(&mask);
  at::Tensor row = at::zeros({1, static_cast<std::int64_t>(kHostNameBytes + sizeof mask)}, at::kByte);
  auto* bytes = static_cast<char*>(row.data_ptr());
  gethostname(bytes, kHostNameBytes - 1);
  std::memcpy(bytes + kHostNameBytes, &mask, sizeof mask);
  return row;
}

}  // namespace

// Ranks share cores when host and mask are equal. Example: 4 ranks on a host, none of them bound, with 8 cores get 2
// threads each; bound to 2 cores of their own they get 2 as well. Masks that overlap only in part count as separate.
int thread_budget(Communicator& comm) {
  int bound_cores = 1;
  const at::Tensor own = placement(bound_cores);
  const at::Tensor all = comm.all_gather(own);  // [P, bytes]
  const auto sharing = all.eq(own).all(1).sum().item<std::int64_t>();
  return std::max(1, bound_cores / static_cast<int>(sharing));
}

}  // namespace negatron
