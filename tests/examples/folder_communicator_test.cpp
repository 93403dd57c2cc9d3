// The contract of communicators, which negatron installs as a library, over one that is not negatron's.
#include "folder_communicator.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/comm/communicator_contract.h"

namespace {

using negatron::testing::ContractCase;

class FolderContract : public testing::TestWithParam<std::tuple<ContractCase, int>> {};

TEST_P(FolderContract, Holds) {
  const auto& [contract_case, size] = GetParam();
  std::string folder = std::filesystem::temp_directory_path() / "folder-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  // Processes as well: these ranks have nothing in common but the folder.
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.emplace_back([&, rank, run = contract_case.run, size = size] {
      try {
        FolderCommunicator group(folder, rank, size, {.check = true, .time_limit = std::chrono::seconds(60)});
        run(group, at::kCPU);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << rank << ": " << error.what();
      }
    });
  }
  for (std::thread& rank : ranks) rank.join();
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Ranks, FolderContract,
                         testing::Combine(testing::ValuesIn(negatron::testing::contract_cases()),
                                          testing::Values(1, 2, 3)),
                         [](const auto& test) {
                           return case_name(std::get<0>(test.param)) + "On" + std::to_string(std::get<1>(test.param));
                         });

}  // namespace
