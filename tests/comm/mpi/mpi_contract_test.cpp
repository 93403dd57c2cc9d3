// The contract over MPI, with host tensors and with those of a device.

#include <gtest/gtest.h>

#include "tests/comm/communicator_contract.h"
#include "tests/support/rank_test.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

class MpiContract : public ::testing::TestWithParam<ContractCase> {};

TEST_P(MpiContract, Holds) {
  GetParam().run(world(), at::kCPU);
}

TEST_P(MpiContract, HoldsOnADevice) {
  GetParam().run(world(), stand_in_device());
}

INSTANTIATE_TEST_SUITE_P(Mpi, MpiContract, ::testing::ValuesIn(contract_cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace negatron::testing
