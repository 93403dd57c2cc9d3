// The contract of works in flight, groups, agreement and what is written down about calls.

#include <gtest/gtest.h>

#include "comm/error.h"
#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

void barrier_waits_for_nobody_twice(Communicator& communicator, at::Device) {
  for (int i = 0; i < 5; ++i) communicator.barrier();
  EXPECT_EQ(communicator.traffic().total().at("barrier").bytes_sent, 0);
}

void works_overlap(Communicator& communicator, at::Device device) {
  const int rank = communicator.rank();
  const int size = communicator.size();
  const at::Tensor reduced = at::full({3000}, rank + 1, at::TensorOptions(device).dtype(at::kFloat));
  Work reduce = communicator.start_all_reduce(reduced, ReduceOp::kSum);
  Work gather = communicator.start_all_gather(pattern(rank, 2, 3, at::kFloat, device));
  const at::Tensor broadcast = at::full({4}, rank, at::TensorOptions(device).dtype(at::kLong));
  Work copy = communicator.start_broadcast(broadcast, 0);
  Work scatter = communicator.start_reduce_scatter(at::ones({size, 2}, device), ReduceOp::kSum);

  // Not in the order of the starts, but in the same order on every rank.
  const at::Tensor gathered = gather.wait();
  EXPECT_TRUE(same(gathered.narrow(0, 0, 2), pattern(0, 2, 3, at::kFloat, device)));
  EXPECT_TRUE(reduce.wait().is_same(reduced));
  EXPECT_TRUE(at::equal(reduced, at::full_like(reduced, size * (size + 1) / 2)));
  EXPECT_TRUE(at::equal(scatter.wait(), at::full({1, 2}, static_cast<float>(size), device)));
  EXPECT_TRUE(copy.wait().is_same(broadcast));
  EXPECT_TRUE(at::equal(broadcast, at::zeros_like(broadcast)));
}

void works_are_waited_for_once(Communicator& communicator, at::Device device) {
  Work work = communicator.start_all_gather(at::ones({1}, device));
  EXPECT_EQ(work.wait().numel(), communicator.size());
  EXPECT_THROW(work.wait(), CommError);
}

void a_dropped_work_is_finished(Communicator& communicator, at::Device device) {
  const at::Tensor tensor = at::ones({5}, device);
  { const Work dropped = communicator.start_all_reduce(tensor, ReduceOp::kSum); }
  EXPECT_TRUE(at::equal(tensor, at::full({5}, static_cast<float>(communicator.size()), device)));
}

void inputs_may_go_away(Communicator& communicator, at::Device device) {
  Work work = communicator.start_all_gather(pattern(communicator.rank(), 500, 3, at::kFloat, device));
  // Would take the memory of the input, were it free.
  const at::Tensor other = at::zeros({500, 3}, device);
  const at::Tensor gathered = work.wait();
  for (int rank = 0; rank < communicator.size(); ++rank) {
    EXPECT_TRUE(same(gathered.narrow(0, rank * 500, 500), pattern(rank, 500, 3, at::kFloat, device)));
  }
}

void split_orders_groups_by_rank(Communicator& communicator, at::Device device) {
  // Negative colors are colors like others.
  const int color = communicator.rank() % 2 - 1;
  const auto group = communicator.split(color);
  EXPECT_EQ(group->rank(), communicator.rank() / 2);
  EXPECT_EQ(group->size(), (communicator.size() + (communicator.rank() % 2 == 0 ? 1 : 0)) / 2);
  EXPECT_STREQ(group->transport(), communicator.transport());
  const at::Tensor sum = at::full({1}, communicator.rank(), at::TensorOptions(device).dtype(at::kLong));
  group->all_reduce(sum, ReduceOp::kSum);
  std::int64_t expected = 0;
  for (int rank = communicator.rank() % 2; rank < communicator.size(); rank += 2) expected += rank;
  EXPECT_EQ(sum.item<std::int64_t>(), expected);

  const auto alone = group->split(group->rank());
  EXPECT_EQ(alone->size(), 1);
  EXPECT_TRUE(same(alone->all_gather(at::ones({2, 2}, device)), at::ones({2, 2}, device)));
  communicator.barrier();
}

void equal_values_agree(Communicator& communicator, at::Device) {
  communicator.agree("the step", "1099511627776");
  communicator.agree("the configuration", std::string(1000, 'x'));
  communicator.agree("nothing", "");
}

void different_values_are_named_on_every_rank(Communicator& communicator, at::Device) {
  const int last = communicator.size() - 1;
  if (last == 0) return;
  try {
    communicator.agree("the step", communicator.rank() == last ? "13" : "12");
    ADD_FAILURE() << "ranks agreed on different values";
  } catch (const DisagreementError& error) {
    EXPECT_EQ(error.ranks(), std::vector<int>{last});
    const std::string text = error.what();
    EXPECT_NE(text.find("ranks differ in the step: rank 0 has \"12\", rank " + std::to_string(last) + " has \"13\""),
              std::string::npos)
        << text;
  }
  // Of different lengths, and one the beginning of the other.
  EXPECT_THROW(communicator.agree("the name", communicator.rank() == last ? "run" : "run-2"), DisagreementError);
  communicator.agree("life after it", "1");
}

void expect_traffic(Communicator& communicator, const char* operation, std::int64_t sent, std::int64_t received) {
  const Traffic traffic = communicator.traffic().step().at(operation);
  EXPECT_EQ(traffic.calls, 1) << operation;
  EXPECT_EQ(traffic.bytes_sent, sent) << operation;
  EXPECT_EQ(traffic.bytes_received, received) << operation;
}

void bytes_are_counted(Communicator& communicator, at::Device device) {
  const std::int64_t size = communicator.size();
  const std::int64_t others = size - 1;
  const std::int64_t rank = communicator.rank();
  communicator.traffic().start_step();

  communicator.all_gather(at::zeros({3, 5}, device));
  expect_traffic(communicator, "all_gather", others * 60, others * 60);
  communicator.reduce_scatter(at::zeros({size * 2, 5}, device), ReduceOp::kSum);
  expect_traffic(communicator, "reduce_scatter", others * 40, others * 40);
  // Twice the (P-1)/P share of P*8 doubles.
  communicator.all_reduce(at::zeros({size * 8}, at::TensorOptions(device).dtype(at::kDouble)), ReduceOp::kSum);
  expect_traffic(communicator, "all_reduce", 2 * others * 64, 2 * others * 64);
  communicator.broadcast(at::zeros({7}, at::TensorOptions(device).dtype(at::kByte)), 0);
  expect_traffic(communicator, "broadcast", rank == 0 ? others * 7 : 0, rank == 0 ? 0 : 7);
  // Every rank sends s + 1 rows to rank s.
  std::vector<std::int64_t> send_rows;
  for (std::int64_t other = 0; other < size; ++other) send_rows.push_back(other + 1);
  const std::vector<std::int64_t> receive_rows(static_cast<std::size_t>(size), rank + 1);
  communicator.all_to_all(at::zeros({size * (size + 1) / 2, 2}, device), send_rows, receive_rows);
  expect_traffic(communicator, "all_to_all", (size * (size + 1) / 2 - rank - 1) * 8, others * (rank + 1) * 8);

  communicator.traffic().start_step();
  EXPECT_TRUE(communicator.traffic().step().empty());
  EXPECT_GE(communicator.traffic().total().at("all_gather").calls, 1);
}

void calls_are_logged(Communicator& communicator, at::Device device) {
  const std::int64_t before = communicator.log().next_sequence();
  Work work = communicator.start_all_gather(at::zeros({2, 3}, device));
  EXPECT_EQ(communicator.log().entries().back().state, CollectiveLog::State::kStarted);
  work.wait();
  const CollectiveLog::Entry entry = communicator.log().entries().back();
  EXPECT_EQ(entry.sequence, before);
  EXPECT_EQ(entry.operation, "all_gather");
  EXPECT_EQ(entry.arguments, "fp32 [2, 3]");
  EXPECT_EQ(entry.state, CollectiveLog::State::kDone);
}

}  // namespace

const std::vector<ContractCase>& group_cases() {
  static const std::vector<ContractCase> cases = {
      {"BarrierWaitsForNobodyTwice", barrier_waits_for_nobody_twice},
      {"WorksOverlap", works_overlap},
      {"WorksAreWaitedForOnce", works_are_waited_for_once},
      {"ADroppedWorkIsFinished", a_dropped_work_is_finished},
      {"InputsMayGoAway", inputs_may_go_away},
      {"SplitOrdersGroupsByRank", split_orders_groups_by_rank},
      {"EqualValuesAgree", equal_values_agree},
      {"DifferentValuesAreNamedOnEveryRank", different_values_are_named_on_every_rank},
      {"BytesAreCounted", bytes_are_counted},
      {"CallsAreLogged", calls_are_logged},
  };
  return cases;
}

}  // namespace negatron::testing
