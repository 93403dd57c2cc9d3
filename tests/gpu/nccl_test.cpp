// The contract of Communicator on device tensors: over NCCL with one rank (a thread) per GPU, and staged through pinned
// memory.

#include <gtest/gtest.h>

#include <c10/cuda/CUDAFunctions.h>

#include "comm/nccl/nccl_communicator.h"
#include "comm/threads/thread_communicator.h"
#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

const CommunicatorOptions kChecked = {.check = true, .time_limit = std::chrono::seconds(60)};
constexpr int kMostRanks = 4;

int found_gpus() {
  return c10::cuda::device_count();
}

std::string needs(int gpus) {
  return "needs " + std::to_string(gpus) + " GPU(s), found " + std::to_string(found_gpus());
}

at::Device gpu(int index) {
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

void run_over_nccl(const ContractCase& contract_case, int ranks) {
  run_ranks(ranks, kChecked, [&](Communicator& bootstrap) {
    const auto communicator = make_nccl_communicator(bootstrap, bootstrap.rank(), kChecked);
    contract_case.run(*communicator, gpu(bootstrap.rank()));
  });
}

class NcclOnGpus : public ::testing::TestWithParam<ContractCase> {};

TEST_P(NcclOnGpus, HoldsOnOne) {
  if (found_gpus() < 1) GTEST_SKIP() << needs(1);
  run_over_nccl(GetParam(), 1);
}

TEST_P(NcclOnGpus, HoldsOnAll) {
  if (found_gpus() < 2) GTEST_SKIP() << needs(2);
  run_over_nccl(GetParam(), std::min(found_gpus(), kMostRanks));
}

TEST_P(NcclOnGpus, HoldsStagedThroughTheHost) {
  if (found_gpus() < 1) GTEST_SKIP() << needs(1);
  run_ranks(3, kChecked, [run = GetParam().run](Communicator& communicator) { run(communicator, gpu(0)); });
}

INSTANTIATE_TEST_SUITE_P(Gpu, NcclOnGpus, ::testing::ValuesIn(contract_cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace negatron::testing
