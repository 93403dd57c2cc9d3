// Two ranks that are threads sum what they have: the least that shows that headers are found and libraries link.
#include <cstdio>

#include "comm/threads/thread_communicator.h"

int main() {
  negatron::run_ranks(2, {}, [](negatron::Communicator& ranks) {
    at::Tensor sum = at::full({1}, ranks.rank() + 1, at::kLong);
    ranks.all_reduce(sum, negatron::ReduceOp::kSum);
    if (ranks.rank() == 0) std::printf("sum %d\n", sum.item<int>());
  });
}
