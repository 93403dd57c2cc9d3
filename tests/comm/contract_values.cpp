// The contract of operations in which every rank ends with the same values: broadcast, all_reduce.

#include <gtest/gtest.h>

#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

// On both sides of the size from which host transports reduce in two phases, and not divisible by 2, 3, 4 or 5.
constexpr std::int64_t kReduceSizes[] = {0, 1, 7, 4099};

void broadcast_from_every_root(Communicator& communicator, at::Device device) {
  for (const at::ScalarType dtype : all_dtypes()) {
    for (int root = 0; root < communicator.size(); ++root) {
      for (const std::int64_t rows : {0, 1, 5}) {
        const at::Tensor tensor = pattern(communicator.rank(), rows, 3, dtype, device);
        communicator.broadcast(tensor, root);
        EXPECT_TRUE(same(tensor, pattern(root, rows, 3, dtype, device))) << dtype << " root " << root;
      }
    }
  }
}

void broadcast_of_a_scalar(Communicator& communicator, at::Device device) {
  const int root = communicator.size() - 1;
  const at::Tensor scalar = at::full({}, communicator.rank() + 10, at::TensorOptions(device).dtype(at::kDouble));
  communicator.broadcast(scalar, root);
  EXPECT_EQ(scalar.item<double>(), root + 10);
}

at::Tensor reduced(int ranks, std::int64_t size, at::ScalarType dtype, ReduceOp op, at::Device device) {
  at::Tensor result = pattern(0, size, 1, dtype, device);
  for (int rank = 1; rank < ranks; ++rank) {
    const at::Tensor other = pattern(rank, size, 1, dtype, device);
    if (op == ReduceOp::kSum) result = result + other;
    if (op == ReduceOp::kMin) result = at::minimum(result, other);
    if (op == ReduceOp::kMax) result = at::maximum(result, other);
  }
  return result;
}

void all_reduce_of_every_dtype(Communicator& communicator, at::Device device) {
  for (const at::ScalarType dtype : all_dtypes()) {
    for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax}) {
      if (dtype == at::kBool && op == ReduceOp::kSum) continue;
      for (const std::int64_t size : kReduceSizes) {
        const at::Tensor tensor = pattern(communicator.rank(), size, 1, dtype, device);
        communicator.all_reduce(tensor, op);
        EXPECT_TRUE(same(tensor, reduced(communicator.size(), size, dtype, op, device)))
            << dtype << " " << name(op) << " " << size;
      }
    }
  }
}

void all_reduce_of_a_scalar(Communicator& communicator, at::Device device) {
  const at::Tensor scalar = at::full({}, communicator.rank() + 1, at::TensorOptions(device).dtype(at::kFloat));
  communicator.all_reduce(scalar, ReduceOp::kSum);
  EXPECT_EQ(scalar.item<float>(), communicator.size() * (communicator.size() + 1) / 2);
  EXPECT_EQ(scalar.dim(), 0);
}

void narrow_sums_accumulate_in_fp32(Communicator& communicator, at::Device device) {
  // In bf16, 256 + 1 is 256: adding the ones one by one to bf16 partial sums would lose all of them.
  for (const std::int64_t size : kReduceSizes) {
    const float own = communicator.rank() == 0 ? 256.0F : 1.0F;
    const at::Tensor tensor = at::full({size}, own, at::TensorOptions(device).dtype(at::kBFloat16));
    communicator.all_reduce(tensor, ReduceOp::kSum);
    const float sum = 256.0F + static_cast<float>(communicator.size() - 1);
    EXPECT_TRUE(same(tensor, at::full_like(tensor, sum))) << size;
  }
}

void sums_are_the_same_bits_on_every_rank(Communicator& communicator, at::Device device) {
  for (const std::int64_t size : kReduceSizes) {
    // Magnitudes far apart, so that another order of summation is another result.
    const at::Tensor tensor = (at::arange(size, at::kFloat).sin() * std::pow(977.0, communicator.rank())).to(device);
    communicator.all_reduce(tensor, ReduceOp::kSum);
    const at::Tensor all = communicator.all_gather(tensor).view({communicator.size(), size});
    EXPECT_TRUE(at::equal(all, tensor.expand_as(all))) << size;
  }
}

}  // namespace

const std::vector<ContractCase>& value_cases() {
  static const std::vector<ContractCase> cases = {
      {"BroadcastFromEveryRoot", broadcast_from_every_root},
      {"BroadcastOfAScalar", broadcast_of_a_scalar},
      {"AllReduceOfEveryDtype", all_reduce_of_every_dtype},
      {"AllReduceOfAScalar", all_reduce_of_a_scalar},
      {"NarrowSumsAccumulateInFp32", narrow_sums_accumulate_in_fp32},
      {"SumsAreTheSameBitsOnEveryRank", sums_are_the_same_bits_on_every_rank},
  };
  return cases;
}

}  // namespace negatron::testing
