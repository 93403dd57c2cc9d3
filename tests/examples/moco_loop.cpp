// MoCo's loop with a bank that is sharded over the ranks: `moco_loop` alone, or `mpirun -n 4 moco_loop`, the same run.
#include <cstdio>

#include <torch/nn/functional/normalization.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include "comm/mpi/mpi_communicator.h"
#include "comm/share.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/negative_samplers/registry.h"

constexpr std::int64_t kBatch = 256, kPixels = 64, kWidth = 32;

torch::nn::Sequential encoder() {
  using namespace torch::nn;
  return Sequential(Linear(kPixels, 128), ReLU(), Linear(128, kWidth));
}

int main(int argc, char** argv) {
  negatron::Environment mpi(&argc, &argv);
  const auto ranks = negatron::make_mpi_communicator(mpi, {});
  torch::manual_seed(1);  // weights and data are the same on every rank
  torch::nn::Sequential query = encoder(), key = encoder();
  const std::vector<at::Tensor> weights = query->parameters(), followers = key->parameters();
  torch::optim::SGD optimizer(weights, torch::optim::SGDOptions(0.1).momentum(0.9));

  negatron::Bank bank({.rows = 4096, .width = kWidth, .dtype = at::kBFloat16, .global_batch = kBatch}, ranks->rank(),
                      ranks->size());
  negatron::ContrastiveLoss loss(negatron::describe_objective("info-nce"), negatron::NegativeSource::kBank,
                                 negatron::make_objective("info-nce", {.temperature = {.tau = 0.2}}),
                                 negatron::make_sampler("whole-bank", {}));
  negatron::ContrastBatch batch;
  batch.shares.sizes = negatron::share_sizes(kBatch, ranks->size());
  const negatron::Range own = negatron::share(kBatch, ranks->size(), ranks->rank());
  for (batch.step = 0; batch.step < 200; ++batch.step) {
    const double part = batch.step == 0 ? 1.0 : 0.01;  // the key encoder follows the query encoder
    for (std::size_t i = 0; i < weights.size(); ++i) followers[i].data().lerp_(weights[i].data(), part);

    const at::Tensor images = at::randn({kBatch, kPixels}).slice(0, own.begin, own.end);
    const at::Tensor noise = 0.5 * at::randn({2, kBatch, kPixels}).slice(1, own.begin, own.end);
    batch.ids = at::arange(own.begin, own.end) + batch.step * kBatch;
    const auto encode = [&](torch::nn::Sequential& network, int view) {
      return torch::nn::functional::normalize(network->forward(images + noise[view]));
    };
    negatron::LossStep step = loss.begin(*ranks, &bank, batch, encode(query, 0));
    const at::Tensor keys = encode(key, 1).detach();
    const negatron::ContrastOutput output = step.finish(keys);  // against the whole bank, with its exact gradient
    optimizer.zero_grad();
    output.loss.backward();
    for (const at::Tensor& weight : weights) ranks->all_reduce(weight.grad(), negatron::ReduceOp::kSum);
    optimizer.step();
    bank.enqueue(keys, batch.ids, {}, batch.step, kBatch);  // each rank its own keys: none travels

    at::Tensor total = output.loss.detach().clone();
    ranks->all_reduce(total, negatron::ReduceOp::kSum);
    if (ranks->rank() == 0 && batch.step % 20 == 19)
      std::printf("step %3d  loss %.4f\n", int(batch.step + 1), total.item<double>());
  }
  mpi.finish();
}
