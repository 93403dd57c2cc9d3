// Whole runs over comm/nccl/nccl_communicator.cpp, with stand-ins for NCCL and for the GPU of each rank.

#include <map>

#include <gtest/gtest.h>

#include "comm/nccl/nccl_communicator.h"
#include "tests/runtime/run/device_run.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

TEST(OverNccl, OnlyWhatLiesOnTheHostIsStaged) {
  const DeviceRun there = {stand_in_device().type(), 2, [](Communicator& host) {
                             return make_nccl_communicator(host, host.rank(), host.options());
                           }};
  const std::map<std::string, PretrainOptions> runs = {{"info-nce", watched_options("info-nce")},
                                                       {"nt-xent", watched_options("nt-xent")},
                                                       {"byol", watched_options("byol")},
                                                       {"memory", with_memory(watched_options("info-nce"))},
                                                       {"learned", with_learned(watched_options("info-nce"))},
                                                       {"parametric", with_parametric(watched_options("info-nce"))}};
  for (const auto& [name, options] : runs) {
    const auto lines = expect_the_same_run(there, options);
    EXPECT_FALSE(lines.empty());
    for (const nlohmann::json& line : lines) {
      // Pixels are read on the host and compared there; all else is on the device.
      if (!line.contains("staged_bytes")) continue;
      const bool on_host = line.value("subject", "") == "raw pixels";
      EXPECT_EQ(line.at("staged_bytes").get<std::int64_t>() > 0, on_host) << name << ": " << line;
    }
  }
}

}  // namespace
}  // namespace negatron::testing
