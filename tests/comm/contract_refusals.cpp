// The contract of wrong calls in checked mode: the same error on every rank, and a group that works afterwards.

#include <gtest/gtest.h>

#include "comm/error.h"
#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

/// The cause in a CommError: what follows the coordinates of the rank.
std::string cause_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const CommError& error) {
    const std::string text = error.what();
    const auto coordinates_end = text.find("): ");
    return coordinates_end == std::string::npos ? text : text.substr(coordinates_end + 3);
  }
  return "no error";
}

/// Collective. `call` must fail with the same cause on every rank, and the cause must contain `part`.
void expect_cause(Communicator& communicator, const std::string& part, const std::function<void()>& call) {
  const std::string cause = cause_of(call);
  EXPECT_NE(cause.find(part), std::string::npos) << cause << "\nexpected: " << part;
  communicator.agree("the cause", cause);
}

std::string last_rank(const Communicator& communicator) {
  return "rank " + std::to_string(communicator.size() - 1);
}

void one_rank_with_a_wrong_tensor(Communicator& communicator, at::Device device) {
  const bool wrong = communicator.rank() == communicator.size() - 1;
  const std::string who = last_rank(communicator) + " cannot call ";
  const at::Tensor good = at::zeros({4, 4}, device);
  expect_cause(communicator, who + "all_reduce sum fp32 [4, 4]: the tensor is not contiguous",
               [&] { communicator.all_reduce(wrong ? good.t() : good, ReduceOp::kSum); });
  expect_cause(communicator, who + "all_gather undefined: the tensor is undefined",
               [&] { communicator.all_gather(wrong ? at::Tensor() : good); });
  expect_cause(communicator, "dtype Short is not one of",
               [&] { communicator.all_gather(wrong ? good.to(at::kShort) : good); });
  expect_cause(communicator, "the tensor is a scalar",
               [&] { communicator.all_gather(wrong ? at::zeros({}, device) : good); });
}

void wrong_numbers(Communicator& communicator, at::Device device) {
  const int size = communicator.size();
  const at::Tensor tensor = at::zeros({2, 3}, device);
  const std::vector<std::int64_t> too_many(static_cast<std::size_t>(size) + 1, 2);
  const std::vector<std::int64_t> other_rows(static_cast<std::size_t>(size), 3);
  expect_cause(communicator, "rows has " + std::to_string(size + 1) + " entries for " + std::to_string(size),
               [&] { communicator.all_gather(tensor, too_many); });
  expect_cause(communicator, "rows has 0 entries", [&] { communicator.all_gather(tensor, at::IntArrayRef{}); });
  expect_cause(communicator, "the tensor has 2 rows where rows", [&] { communicator.all_gather(tensor, other_rows); });
  expect_cause(communicator, "where send_rows", [&] { communicator.all_to_all(tensor, other_rows, other_rows); });
  expect_cause(communicator, "is not a rank of a group of", [&] { communicator.broadcast(tensor, size); });
  expect_cause(communicator, "bool has no sum",
               [&] { communicator.all_reduce(at::zeros({2}, tensor.options().dtype(at::kBool)), ReduceOp::kSum); });
  if (size == 1) return;
  expect_cause(communicator, "do not split into " + std::to_string(size) + " equal blocks", [&] {
    communicator.reduce_scatter(at::zeros({size + 1, 1}, device), ReduceOp::kSum);
  });
  expect_cause(communicator, "do not split into", [&] { communicator.all_to_all(at::zeros({size + 1}, device)); });
}

void ranks_that_differ(Communicator& communicator, at::Device device) {
  const bool different = communicator.rank() == communicator.size() - 1;
  if (communicator.size() == 1) return;
  const std::string who = "; " + last_rank(communicator) + " calls #";
  const at::Tensor tensor = at::zeros({2, 3}, device);
  const auto expect_difference = [&](const std::string& first, const std::string& other, const auto& call) {
    expect_cause(communicator, "ranks make different calls: rank 0 calls #", call);
    expect_cause(communicator, first + who, call);
    expect_cause(communicator, other, call);
  };
  expect_difference("all_gather fp32 [2, 3]", "all_gather fp32 [2, 4]", [&] {
    communicator.all_gather(different ? at::zeros({2, 4}, device) : tensor);
  });
  expect_difference("all_reduce sum fp32 [2, 3]", "all_reduce sum fp64 [2, 3]",
                    [&] { communicator.all_reduce(different ? tensor.to(at::kDouble) : tensor, ReduceOp::kSum); });
  expect_difference("all_reduce sum fp32 [2, 3]", "all_reduce max fp32 [2, 3]",
                    [&] { communicator.all_reduce(tensor, different ? ReduceOp::kMax : ReduceOp::kSum); });
  expect_difference("broadcast fp32 [2, 3] from rank 0", "broadcast fp32 [2, 3] from rank 1",
                    [&] { communicator.broadcast(tensor, different ? 1 : 0); });
  expect_difference("all_gather fp32 [2, 3]", "barrier", [&] {
    if (different) {
      communicator.barrier();
    } else {
      communicator.all_gather(tensor);
    }
  });
}

void rows_that_do_not_fit_together(Communicator& communicator, at::Device device) {
  if (communicator.size() == 1) return;
  const auto ranks = static_cast<std::size_t>(communicator.size());
  std::vector<std::int64_t> receive_rows(ranks, 1);
  if (communicator.rank() == 1) receive_rows[0] = 2;
  expect_cause(communicator, "rank 0 sends 1 rows to rank 1, which expects 2", [&] {
    communicator.all_to_all(at::zeros({communicator.size(), 2}, device), std::vector<std::int64_t>(ranks, 1),
                            receive_rows);
  });
}

}  // namespace

const std::vector<ContractCase>& refusal_cases() {
  static const std::vector<ContractCase> cases = {
      {"OneRankWithAWrongTensor", one_rank_with_a_wrong_tensor},
      {"WrongNumbers", wrong_numbers},
      {"RanksThatDiffer", ranks_that_differ},
      {"RowsThatDoNotFitTogether", rows_that_do_not_fit_together},
  };
  return cases;
}

const std::vector<ContractCase>& contract_cases() {
  static const std::vector<ContractCase> cases = [] {
    std::vector<ContractCase> all;
    for (const auto* part :
         {&value_cases(), &row_cases(), &group_cases(), &refusal_cases(), &together_cases(), &side_cases()}) {
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }();
  return cases;
}

}  // namespace negatron::testing
