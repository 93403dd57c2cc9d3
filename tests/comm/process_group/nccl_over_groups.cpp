// The contract over NCCL, whose ranks find each other by a process group of torch.distributed, as in a Python program.
// The stand-in of NCCL is below it.

#include <gtest/gtest.h>

#include "comm/nccl/nccl_communicator.h"
#include "tests/comm/communicator_contract.h"
#include "tests/comm/nccl/nccl_stand_in.h"
#include "tests/comm/process_group/group_ranks.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

class NcclOverGroups : public ::testing::TestWithParam<std::tuple<ContractCase, int>> {};

TEST_P(NcclOverGroups, Holds) {
  const auto& [contract_case, ranks] = GetParam();
  run_over_groups(ranks, [run = contract_case.run](Communicator& bootstrap) {
    const int rank = bootstrap.rank();
    const auto communicator = make_nccl_communicator(bootstrap, rank, bootstrap.options());
    EXPECT_STREQ(communicator->transport(), "nccl");
    run(*communicator, stand_in_device(rank));
  });
  EXPECT_EQ(stand_in_state().live, 0);
}

INSTANTIATE_TEST_SUITE_P(Gloo, NcclOverGroups,
                         ::testing::Combine(::testing::ValuesIn(contract_cases()), ::testing::Values(1, 2, 3)),
                         [](const auto& test) {
                           return case_name(std::get<0>(test.param)) + "On" + std::to_string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace negatron::testing
