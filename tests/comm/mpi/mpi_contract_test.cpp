// The contract over MPI.

#include <gtest/gtest.h>

#include "tests/comm/communicator_contract.h"
#include "tests/support/rank_test.h"

namespace negatron::testing {
namespace {

class MpiContract : public ::testing::TestWithParam<ContractCase> {};

TEST_P(MpiContract, Holds) {
  GetParam().run(world(), at::kCPU);
}

INSTANTIATE_TEST_SUITE_P(Mpi, MpiContract, ::testing::ValuesIn(contract_cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace negatron::testing
