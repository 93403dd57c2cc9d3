// The contract of operations that move rows: all_gather, reduce_scatter, all_to_all, even and ragged.

#include <gtest/gtest.h>

#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

std::size_t index(int rank) {
  return static_cast<std::size_t>(rank);
}

/// How many rows rank `from` sends to rank `to` in the ragged cases: 0, 1 or 2, not symmetric.
std::int64_t ragged_rows(int from, int to) {
  return (from + 2 * to) % 3;
}

void all_gather_of_every_dtype(Communicator& communicator, at::Device device) {
  for (const at::ScalarType dtype : all_dtypes()) {
    for (const std::int64_t rows : {0, 1, 3}) {
      const at::Tensor gathered = communicator.all_gather(pattern(communicator.rank(), rows, 5, dtype, device));
      std::vector<at::Tensor> expected;
      for (int rank = 0; rank < communicator.size(); ++rank) expected.push_back(pattern(rank, rows, 5, dtype, device));
      EXPECT_TRUE(same(gathered, at::cat(expected))) << dtype << " " << rows;
    }
  }
}

void all_gather_keeps_inner_shapes(Communicator& communicator, at::Device device) {
  const at::Tensor tensor = pattern(communicator.rank(), 2, 12, at::kFloat, device);
  const at::Tensor gathered = communicator.all_gather(tensor.view({2, 3, 4}));
  EXPECT_EQ(gathered.sizes().vec(), (std::vector<std::int64_t>{2 * communicator.size(), 3, 4}));
  EXPECT_TRUE(at::equal(gathered.narrow(0, 2 * communicator.rank(), 2), tensor.view({2, 3, 4})));
  const at::Tensor without_columns = communicator.all_gather(tensor.narrow(1, 0, 0).contiguous());
  EXPECT_EQ(without_columns.sizes().vec(), (std::vector<std::int64_t>{2 * communicator.size(), 0}));
}

void all_gather_of_ragged_rows(Communicator& communicator, at::Device device) {
  for (int shift = 0; shift < 3; ++shift) {
    std::vector<std::int64_t> rows;
    std::vector<at::Tensor> expected;
    for (int rank = 0; rank < communicator.size(); ++rank) {
      rows.push_back((rank + shift) % 3 * 2);
      expected.push_back(pattern(rank, rows.back(), 4, at::kLong, device));
    }
    const at::Tensor own = expected[index(communicator.rank())];
    EXPECT_TRUE(same(communicator.all_gather(own, rows), at::cat(expected))) << shift;
  }
}

void reduce_scatter_of_every_dtype(Communicator& communicator, at::Device device) {
  for (const at::ScalarType dtype : all_dtypes()) {
    if (dtype == at::kBool) continue;
    for (const std::int64_t rows : {0, 1, 3}) {
      const at::Tensor own = pattern(communicator.rank(), communicator.size() * rows, 5, dtype, device);
      at::Tensor sum = at::zeros_like(own);
      for (int rank = 0; rank < communicator.size(); ++rank) sum += pattern(rank, sum.size(0), 5, dtype, device);
      const at::Tensor scattered = communicator.reduce_scatter(own, ReduceOp::kSum);
      EXPECT_TRUE(same(scattered, sum.narrow(0, communicator.rank() * rows, rows))) << dtype << " " << rows;
    }
  }
}

void reduce_scatter_takes_extremes(Communicator& communicator, at::Device device) {
  const at::Tensor own = pattern(communicator.rank(), communicator.size(), 3, at::kFloat, device);
  const at::Tensor sum = communicator.reduce_scatter(own, ReduceOp::kMax);
  at::Tensor expected = pattern(0, communicator.size(), 3, at::kFloat, device);
  for (int rank = 1; rank < communicator.size(); ++rank) {
    expected = at::maximum(expected, pattern(rank, communicator.size(), 3, at::kFloat, device));
  }
  EXPECT_TRUE(same(sum, expected.narrow(0, communicator.rank(), 1)));
}

void all_to_all_is_a_transposition(Communicator& communicator, at::Device device) {
  const int ranks = communicator.size();
  for (const at::ScalarType dtype : all_dtypes()) {
    for (const std::int64_t rows : {0, 1, 3}) {
      std::vector<at::Tensor> send;
      std::vector<at::Tensor> expected;
      for (int other = 0; other < ranks; ++other) {
        send.push_back(pattern(communicator.rank() * ranks + other, rows, 2, dtype, device));
        expected.push_back(pattern(other * ranks + communicator.rank(), rows, 2, dtype, device));
      }
      EXPECT_TRUE(same(communicator.all_to_all(at::cat(send)), at::cat(expected))) << dtype << " " << rows;
    }
  }
}

void all_to_all_of_ragged_rows(Communicator& communicator, at::Device device) {
  const int ranks = communicator.size();
  std::vector<at::Tensor> send;
  std::vector<at::Tensor> expected;
  std::vector<std::int64_t> send_rows;
  std::vector<std::int64_t> receive_rows;
  for (int other = 0; other < ranks; ++other) {
    send_rows.push_back(ragged_rows(communicator.rank(), other));
    receive_rows.push_back(ragged_rows(other, communicator.rank()));
    send.push_back(pattern(communicator.rank() * ranks + other, send_rows.back(), 3, at::kFloat, device));
    expected.push_back(pattern(other * ranks + communicator.rank(), receive_rows.back(), 3, at::kFloat, device));
  }
  EXPECT_TRUE(same(communicator.all_to_all(at::cat(send), send_rows, receive_rows), at::cat(expected)));
}

void all_to_all_to_one_rank_only(Communicator& communicator, at::Device device) {
  const int ranks = communicator.size();
  const bool is_target = communicator.rank() == ranks - 1;
  std::vector<std::int64_t> send_rows(index(ranks), 0);
  send_rows.back() = 2;
  const std::vector<std::int64_t> receive_rows(index(ranks), is_target ? 2 : 0);
  const at::Tensor own = pattern(communicator.rank(), 2, 3, at::kInt, device);
  const at::Tensor received = communicator.all_to_all(own, send_rows, receive_rows);
  std::vector<at::Tensor> expected = {own.narrow(0, 0, 0)};
  for (int rank = 0; is_target && rank < ranks; ++rank) expected.push_back(pattern(rank, 2, 3, at::kInt, device));
  EXPECT_TRUE(same(received, at::cat(expected)));
}

}  // namespace

const std::vector<ContractCase>& row_cases() {
  static const std::vector<ContractCase> cases = {
      {"AllGatherOfEveryDtype", all_gather_of_every_dtype},
      {"AllGatherKeepsInnerShapes", all_gather_keeps_inner_shapes},
      {"AllGatherOfRaggedRows", all_gather_of_ragged_rows},
      {"ReduceScatterOfEveryDtype", reduce_scatter_of_every_dtype},
      {"ReduceScatterTakesExtremes", reduce_scatter_takes_extremes},
      {"AllToAllIsATransposition", all_to_all_is_a_transposition},
      {"AllToAllOfRaggedRows", all_to_all_of_ragged_rows},
      {"AllToAllToOneRankOnly", all_to_all_to_one_rank_only},
  };
  return cases;
}

}  // namespace negatron::testing
