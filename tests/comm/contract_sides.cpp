// The contract of tensors that lie on the host and on a device: call by call, rank by rank, and both under way at once.
// On `device` the host these cases hold too, as nothing is staged then.

#include <cstring>

#include <gtest/gtest.h>

#include "tests/comm/communicator_contract.h"

namespace negatron::testing {
namespace {

/// Every operation on tensors on `side`, against values in closed form.
void expect_all_operations(Communicator& communicator, at::Device side) {
  const int rank = communicator.rank();
  const int size = communicator.size();
  for (const at::ScalarType dtype : {at::kFloat, at::kLong, at::kBFloat16}) {
    const auto of_rank = [&](int other) { return pattern(other, 2, 3, dtype, side); };
    std::vector<at::Tensor> all;
    for (int other = 0; other < size; ++other) all.push_back(of_rank(other));
    const at::Tensor stacked = at::cat(all);  // [2P, 3]
    const at::Tensor sum = stacked.view({size, 2, 3}).sum(0).to(dtype);

    const at::Tensor reduced = of_rank(rank);
    communicator.all_reduce(reduced, ReduceOp::kSum);
    EXPECT_TRUE(same(reduced, sum)) << dtype << side;
    const at::Tensor broadcast = of_rank(rank);
    communicator.broadcast(broadcast, size - 1);
    EXPECT_TRUE(same(broadcast, of_rank(size - 1))) << dtype << side;
    EXPECT_TRUE(same(communicator.all_gather(of_rank(rank)), stacked)) << dtype << side;
    // Every rank brings block s for rank s, the same everywhere.
    EXPECT_TRUE(same(communicator.reduce_scatter(stacked, ReduceOp::kMax), of_rank(rank))) << dtype << side;
    const at::Tensor sent = at::cat(std::vector<at::Tensor>(static_cast<std::size_t>(size), of_rank(rank)));
    EXPECT_TRUE(same(communicator.all_to_all(sent), stacked)) << dtype << side;
  }
}

void sides_may_change_from_call_to_call(Communicator& communicator, at::Device device) {
  for (const at::Device side : {at::Device(at::kCPU), device, at::Device(at::kCPU)}) {
    expect_all_operations(communicator, side);
  }
}

void sides_may_differ_between_ranks(Communicator& communicator, at::Device device) {
  expect_all_operations(communicator, communicator.rank() % 2 == 0 ? at::Device(at::kCPU) : device);
  expect_all_operations(communicator, communicator.rank() % 2 == 0 ? device : at::Device(at::kCPU));
}

void works_on_both_sides_overlap(Communicator& communicator, at::Device device) {
  const int size = communicator.size();
  const at::Tensor host = at::full({3000}, communicator.rank() + 1.0);
  const at::Tensor there = at::full({3000}, communicator.rank() + 1.0, device);
  Work on_host = communicator.start_all_reduce(host, ReduceOp::kSum);
  Work on_device = communicator.start_all_reduce(there, ReduceOp::kSum);
  Work gather = communicator.start_all_gather(pattern(communicator.rank(), 2, 3, at::kFloat, at::kCPU));
  // Would take the memory of the input, were it free.
  const at::Tensor other = at::zeros({2, 3});
  const at::Tensor gathered = gather.wait();
  EXPECT_TRUE(on_host.wait().is_same(host));
  EXPECT_TRUE(on_device.wait().is_same(there));
  // Read by the host at once, without an operator that could wait for a device.
  const float sum = static_cast<float>(size * (size + 1)) / 2.0F;
  for (std::int64_t i = 0; i < host.numel(); ++i) ASSERT_EQ(host.const_data_ptr<float>()[i], sum);
  EXPECT_TRUE(at::equal(there, at::full_like(there, sum)));
  for (int rank = 0; rank < size; ++rank) {
    EXPECT_TRUE(same(gathered.narrow(0, rank * 2, 2), pattern(rank, 2, 3, at::kFloat, at::kCPU)));
  }
}

void long_tensors_are_staged_in_parts(Communicator& communicator, at::Device device) {
  // Two blocks of pinned memory and a bit.
  const std::int64_t length = 2 * Staging::kPinnedBytes / static_cast<std::int64_t>(sizeof(float)) + 5;
  for (const at::Device side : {at::Device(at::kCPU), device}) {
    const at::Tensor values = at::arange(length, at::kInt).to(side);
    const at::Tensor tensor = values + communicator.rank();
    communicator.all_reduce(tensor, ReduceOp::kMax);
    EXPECT_TRUE(same(tensor, values + (communicator.size() - 1))) << side;
  }
}

void autograd_does_not_see_it(Communicator& communicator, at::Device device) {
  for (const at::Device side : {at::Device(at::kCPU), device}) {
    const at::Tensor leaf = at::ones({3, 2}, side).requires_grad_();
    communicator.all_reduce(leaf, ReduceOp::kSum);
    EXPECT_FALSE(communicator.all_gather(leaf).requires_grad());
    EXPECT_TRUE(leaf.is_leaf() && leaf.requires_grad());
    EXPECT_TRUE(at::equal(leaf, at::full_like(leaf, communicator.size())));
  }
}

void staged_bytes_are_counted_apart(Communicator& communicator, at::Device device) {
  const std::int64_t size = communicator.size();
  for (const at::Device side : {at::Device(at::kCPU), device}) {
    const bool at_home = side.is_cpu() == (std::strcmp(communicator.transport(), "nccl") != 0);
    const auto expect_staged = [&](const char* operation, std::int64_t bytes) {
      EXPECT_EQ(communicator.traffic().step().at(operation).bytes_staged, at_home ? 0 : bytes) << operation << side;
    };
    communicator.traffic().start_step();
    communicator.all_gather(at::zeros({3, 5}, side));
    expect_staged("all_gather", 60 + size * 60);
    communicator.reduce_scatter(at::zeros({size * 2, 5}, side), ReduceOp::kSum);
    expect_staged("reduce_scatter", size * 40 + 40);
    communicator.all_reduce(at::zeros({7}, at::TensorOptions(side).dtype(at::kDouble)), ReduceOp::kSum);
    communicator.all_reduce(at::zeros({1}, side), ReduceOp::kSum);
    expect_staged("all_reduce", 2 * 56 + 2 * 4);
    communicator.broadcast(at::zeros({7}, at::TensorOptions(side).dtype(at::kByte)), 0);
    expect_staged("broadcast", 2 * 7);
    // Whatever is staged, what ranks send each other is the same.
    EXPECT_EQ(communicator.traffic().step().at("all_gather").bytes_sent, (size - 1) * 60);
  }
}

}  // namespace

const std::vector<ContractCase>& side_cases() {
  static const std::vector<ContractCase> cases = {
      {"SidesMayChangeFromCallToCall", sides_may_change_from_call_to_call},
      {"SidesMayDifferBetweenRanks", sides_may_differ_between_ranks},
      {"WorksOnBothSidesOverlap", works_on_both_sides_overlap},
      {"LongTensorsAreStagedInParts", long_tensors_are_staged_in_parts},
      {"AutogradDoesNotSeeIt", autograd_does_not_see_it},
      {"StagedBytesAreCountedApart", staged_bytes_are_counted_apart},
  };
  return cases;
}

}  // namespace negatron::testing
