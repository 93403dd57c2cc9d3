#include "tests/comm/process_group/group_ranks.h"

#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "comm/process_group/process_group_communicator.h"

namespace negatron::testing {
namespace {

/// Each rank has a registered group of its own: "contract-3-0" for rank 0 of 3.
std::string group_name(int ranks, int rank) {
  return "contract-" + std::to_string(ranks) + "-" + std::to_string(rank);
}

}  // namespace

void run_over_groups(int ranks, const std::function<void(Communicator&)>& body) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        const CommunicatorOptions options = {.check = true, .time_limit = std::chrono::seconds(30)};
        const auto communicator = make_process_group_communicator(group_name(ranks, rank), options);
        body(*communicator);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << rank << ": " << error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace negatron::testing
