// The contract over process groups of torch.distributed, as an extension module: backends are made by Python, as
// torch's headers do not offer gloo to C++. process_group_contract.py makes the groups and calls run().

#include <gtest/gtest.h>
#include <torch/csrc/utils/pybind.h>

#include <string>
#include <vector>

#include "tests/comm/communicator_contract.h"
#include "tests/comm/process_group/group_ranks.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

void run_case(const ContractCase& contract_case, int ranks, bool on_device) {
  run_over_groups(ranks, [&](Communicator& communicator) {
    contract_case.run(communicator, on_device ? stand_in_device(communicator.rank()) : at::Device(at::kCPU));
  });
}

class ProcessGroupContract : public ::testing::TestWithParam<std::tuple<ContractCase, int>> {};

TEST_P(ProcessGroupContract, Holds) {
  run_case(std::get<0>(GetParam()), std::get<1>(GetParam()), /*on_device=*/false);
}

TEST_P(ProcessGroupContract, HoldsOnADevice) {
  run_case(std::get<0>(GetParam()), std::get<1>(GetParam()), /*on_device=*/true);
}

INSTANTIATE_TEST_SUITE_P(Gloo, ProcessGroupContract,
                         ::testing::Combine(::testing::ValuesIn(contract_cases()), ::testing::Values(1, 2, 3, 4)),
                         [](const auto& test) {
                           return case_name(std::get<0>(test.param)) + "On" + std::to_string(std::get<1>(test.param));
                         });

/// The exit code of the tests that `arguments` choose, as gtest's programs take them.
int run(std::vector<std::string> arguments) {
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  int count = static_cast<int>(words.size());
  ::testing::InitGoogleTest(&count, words.data());
  return RUN_ALL_TESTS();
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("run", &run, pybind11::call_guard<pybind11::gil_scoped_release>());
}

}  // namespace negatron::testing
