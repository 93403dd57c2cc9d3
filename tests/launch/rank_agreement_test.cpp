#include "launch/rank_agreement.h"

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "launch/build_identity.h"
#include "launch/exit_code.h"

namespace negatron::testing {
namespace {

/// What four ranks on two hosts are told about these texts; empty where they are alike.
std::string told(const std::vector<std::string>& texts) {
  std::string sentence;
  run_ranks(static_cast<int>(texts.size()), CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const RankAgreement ranks(comm, comm.rank() < 2 ? "a" : "b");
    std::string own;
    try {
      ranks.require("settings", texts[static_cast<std::size_t>(comm.rank())]);
    } catch (const UsageError& error) {
      own = error.what();
    }
    comm.agree("what ranks are told", own);
    if (comm.rank() == 0) sentence = own;
  });
  return sentence;
}

TEST(RankAgreement, NamesRanksHostsAndTheLinesThatDiffer) {
  const std::string usual = "lr = 0.1\ntau = 0.2\nseed = 1\n";
  EXPECT_EQ(told({usual, usual, usual, usual}), "");
  EXPECT_EQ(told({"", "", "", ""}), "");
  EXPECT_EQ(told({usual, usual, usual, "lr = 0.1\ntau = 0.3\nseed = 1\n"}),
            "the ranks differ in their settings: rank 3 on host b has 'tau = 0.3', where rank 0 on host a has "
            "'tau = 0.2'.");
  EXPECT_EQ(told({usual, "lr = 0.1\nseed = 1\n", "seed = 2\n" + usual, "lr = 0.1\nseed = 1\n"}),
            "the ranks differ in their settings: ranks 1, 3 on hosts a, b have nothing of that, where rank 0 on host a "
            "has 'tau = 0.2'; rank 2 on host b has 'seed = 2', where rank 0 on host a has nothing of that.");
  std::string many;
  for (int i = 0; i < 9; ++i) many += "line " + std::to_string(i) + "\n";
  EXPECT_NE(told({"", many, "", ""}).find("'line 4' and 4 more, where"), std::string::npos) << told({"", many, "", ""});
}

TEST(BuildIdentity, NamesVersionBuildAndLibrary) {
  const std::string text = build_identity();
  EXPECT_EQ(text, build_identity());
  EXPECT_NE(text.find("\nbuild id "), std::string::npos) << text;
  EXPECT_NE(text.find("\nlibtorch_cpu of "), std::string::npos) << text;
  EXPECT_EQ(text.find("unknown"), std::string::npos) << text;
}

}  // namespace
}  // namespace negatron::testing
