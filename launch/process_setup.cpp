#include "launch/process_setup.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "runtime/snapshots/files/process_identity.h"

namespace negatron {
namespace {

constexpr std::size_t kMachineBytes = 256;

/// Whose cores these are: hosts may share a name, and containers of one machine have names of their own, but it runs
/// one kernel.
std::string machine_name() {
  const ProcessIdentity process = this_process();
  return process.boot.empty() ? process.host : process.boot;
}

/// Machine and CPU mask of this rank, as one row of bytes: [1, kMachineBytes + sizeof(cpu_set_t)] uint8.
at::Tensor placement(int& bound_cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  bound_cores = CPU_COUNT(&mask);
  at::Tensor row = at::zeros({1, static_cast<std::int64_t>(kMachineBytes + sizeof mask)}, at::kByte);
  auto* bytes = static_cast<char*>(row.data_ptr());
  const std::string machine = machine_name();
  std::memcpy(bytes, machine.data(), std::min(machine.size(), kMachineBytes));
  std::memcpy(bytes + kMachineBytes, &mask, sizeof mask);
  return row;
}

}  // namespace

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The most that glibc takes: larger blocks, of which a step has few, are mapped one by one.
  constexpr int kLargestInHeap = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestInHeap);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

void choose_gpu_arithmetic(bool tf32, bool benchmark) {
  at::Context& context = at::globalContext();
  const auto convolutions = tf32 ? at::Float32Precision::TF32 : at::Float32Precision::IEEE;
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV, convolutions);
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL, at::Float32Precision::IEEE);
  context.setBenchmarkCuDNN(benchmark);
  context.setDeterministicCuDNN(!benchmark);
}

// Only equal rows count as sharing: the same machine and exactly the same cores. Example: 4 ranks on a host of 16
// cores. If mpirun binds none of them, the masks are equal and each may use 16 / 4 = 4 threads; if it binds each to 2
// cores of its own, the masks differ and each may use 2 / 1.
int thread_budget(Communicator& comm) {
  int bound_cores = 1;
  const at::Tensor own = placement(bound_cores);
  // A collective, which every rank reaches with a row of one size: the name is padded with zeros.
  const at::Tensor all = comm.all_gather(own);  // [P, bytes]
  const auto sharing = all.eq(own).all(1).sum().item<std::int64_t>();
  return std::max(1, bound_cores / static_cast<int>(sharing));
}

}  // namespace negatron
