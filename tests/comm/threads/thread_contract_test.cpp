// The contract over ranks that are threads, with host tensors and with those of a device.

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "tests/comm/communicator_contract.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

class ThreadContract : public ::testing::TestWithParam<std::tuple<ContractCase, int>> {};

TEST_P(ThreadContract, Holds) {
  const auto& [contract_case, ranks] = GetParam();
  const CommunicatorOptions options = {.check = true, .time_limit = std::chrono::seconds(30)};
  run_ranks(ranks, options, [run = contract_case.run](Communicator& communicator) { run(communicator, at::kCPU); });
}

TEST_P(ThreadContract, HoldsOnADevice) {
  const auto& [contract_case, ranks] = GetParam();
  const CommunicatorOptions options = {.check = true, .time_limit = std::chrono::seconds(30)};
  run_ranks(ranks, options, [run = contract_case.run](Communicator& communicator) {
    run(communicator, stand_in_device(communicator.rank()));
  });
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadContract,
                         ::testing::Combine(::testing::ValuesIn(contract_cases()), ::testing::Values(1, 2, 3, 4, 5)),
                         [](const auto& test) {
                           return case_name(std::get<0>(test.param)) + "On" + std::to_string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace negatron::testing
