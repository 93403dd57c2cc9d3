// The contract of work that ranks do together: what one of them meets, all of them say.

#include <algorithm>

#include <gtest/gtest.h>

#include "comm/error.h"
#include "comm/rank_texts.h"
#include "comm/together.h"
#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

/// What together() throws when `work` runs; "" and kRefused when it throws nothing.
FailedTogether failure_of(Communicator& communicator, const std::function<void()>& work) {
  try {
    together(communicator, work);
  } catch (const FailedTogether& failure) {
    return failure;
  }
  return {FailureKind::kRefused, ""};
}

/// What all say of what only the last rank met.
std::string of_the_last(Communicator& communicator, const std::string& text) {
  const int last = communicator.size() - 1;
  return communicator.size() == 1 ? text : communicator.roll_call()->name_of(last) + ": " + text;
}

void texts_of_any_length_reach_every_rank(Communicator& communicator, at::Device) {
  const int rank = communicator.rank();
  const std::vector<std::string> texts = gather_texts(communicator, std::string(static_cast<std::size_t>(rank), 'x'));
  ASSERT_EQ(static_cast<int>(texts.size()), communicator.size());
  for (std::size_t other = 0; other < texts.size(); ++other) EXPECT_EQ(texts[other], std::string(other, 'x'));
  const std::vector<std::string> equal = gather_equal_texts(communicator, "rank " + std::to_string(rank));
  ASSERT_EQ(static_cast<int>(equal.size()), communicator.size());
  for (std::size_t other = 0; other < equal.size(); ++other) EXPECT_EQ(equal[other], "rank " + std::to_string(other));
  EXPECT_EQ(text_of_rank_0(communicator, rank == 0 ? "of rank 0" : "another"), "of rank 0");
  EXPECT_EQ(text_of_rank_0(communicator, ""), "");
  EXPECT_EQ(joined_errors(communicator, ""), "");
  EXPECT_EQ(joined_errors(communicator, rank == communicator.size() - 1 ? "lost" : ""),
            "Rank " + std::to_string(communicator.size() - 1) + ": lost");
}

void what_one_rank_meets_all_throw(Communicator& communicator, at::Device) {
  const int last = communicator.size() - 1;
  int done = 0;
  together(communicator, [&] { ++done; });
  EXPECT_EQ(done, 1);
  const FailedTogether refused = failure_of(communicator, [&] {
    if (communicator.rank() == last) throw Refusal("--data: no such folder");
  });
  EXPECT_EQ(refused.kind(), FailureKind::kRefused);
  EXPECT_EQ(refused.what(), of_the_last(communicator, "--data: no such folder"));
  EXPECT_EQ(failure_of(communicator, [] { throw std::invalid_argument("a"); }).kind(), FailureKind::kRefused);
  const FailedTogether failed = failure_of(communicator, [&] {
    if (communicator.rank() == last) throw std::runtime_error("disk of the last rank");
  });
  EXPECT_EQ(failed.kind(), FailureKind::kFailed);
  EXPECT_EQ(failed.what(), of_the_last(communicator, "disk of the last rank"));
  const FailedTogether alike = failure_of(communicator, [] { throw Refusal("--epochs: 0"); });
  EXPECT_STREQ(alike.what(), "--epochs: 0");
}

void a_failure_outranks_a_refusal_and_the_lowest_rank_that_failed_speaks(Communicator& communicator, at::Device) {
  const int rank = communicator.rank();
  const FailedTogether both = failure_of(communicator, [&] {
    if (rank >= communicator.size() - 2 && rank > 0) throw std::runtime_error("failed on " + std::to_string(rank));
    if (communicator.size() == 1) throw std::runtime_error("failed on 0");
    throw Refusal("refused on " + std::to_string(rank));
  });
  EXPECT_EQ(both.kind(), FailureKind::kFailed);
  const int first_failed = communicator.size() == 1 ? 0 : std::max(1, communicator.size() - 2);
  const std::string text = "failed on " + std::to_string(first_failed);
  EXPECT_EQ(both.what(),
            communicator.size() == 1 ? text : communicator.roll_call()->name_of(first_failed) + ": " + text);
}

void rank_0_works_for_all(Communicator& communicator, at::Device) {
  int calls = 0;
  EXPECT_EQ(on_rank_0(communicator, [&]() -> std::string { return ++calls == 1 ? "made" : "again"; }), "made");
  EXPECT_EQ(calls, communicator.rank() == 0 ? 1 : 0);
  const auto refuse = [&] { return on_rank_0(communicator, []() -> std::string { throw Refusal("in use"); }); };
  EXPECT_THROW(refuse(), FailedTogether);
  EXPECT_THROW(failing_as<std::logic_error>(refuse), std::logic_error);
  // Nobody waits for a rank that left: the next collective is everybody's.
  communicator.barrier();
}

}  // namespace

const std::vector<ContractCase>& together_cases() {
  static const std::vector<ContractCase> cases = {
      {"TextsOfAnyLengthReachEveryRank", texts_of_any_length_reach_every_rank},
      {"WhatOneRankMeetsAllThrow", what_one_rank_meets_all_throw},
      {"AFailureOutranksARefusalAndTheLowestRankThatFailedSpeaks",
       a_failure_outranks_a_refusal_and_the_lowest_rank_that_failed_speaks},
      {"Rank0WorksForAll", rank_0_works_for_all},
  };
  return cases;
}

}  // namespace negatron::testing
