// Two ranks that are threads, a bank of two rows, one on each, and a query of each rank: with q = k at right angles to
// both rows and tau 1 the loss is log(e + 2) - 1 = 0.5514.
#include <cstdio>

#include "comm/threads/thread_communicator.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/negative_samplers/registry.h"

int main() {
  negatron::run_ranks(2, {}, [](negatron::Communicator& ranks) {
    negatron::Bank bank({.rows = 2, .width = 2, .fill = negatron::BankFill::kEmpty, .global_batch = 2}, ranks.rank(),
                        ranks.size());
    const at::Tensor row = at::tensor({0.0F, ranks.rank() == 0 ? 1.0F : -1.0F}).view({1, 2});
    bank.enqueue(row, at::full({1}, ranks.rank(), at::kLong), {}, 0, 2);
    negatron::ContrastiveLoss loss(negatron::describe_objective("info-nce"), negatron::NegativeSource::kBank,
                                   negatron::make_objective("info-nce", {.temperature = {.tau = 1.0}}),
                                   negatron::make_sampler("whole-bank", {}));
    negatron::ContrastBatch batch;
    batch.shares.sizes = {1, 1};
    batch.ids = at::full({1}, 10 + ranks.rank(), at::kLong);
    batch.step = 1;
    const at::Tensor q = at::tensor({1.0F, 0.0F}).view({1, 2});
    at::Tensor total = loss.begin(ranks, &bank, batch, q).finish(q).loss.detach().clone();
    ranks.all_reduce(total, negatron::ReduceOp::kSum);
    if (ranks.rank() == 0) std::printf("loss %.4f\n", total.item<double>());
  });
}
