#include "runtime/evaluation/linear_probe.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <torch/optim/lbfgs.h>

#include "runtime/data/holdout.h"

namespace negatron {
namespace {

/// How many rows of that width are in fp64 at a time: 64 MiB of them, at least one.
std::int64_t block_rows(const at::Tensor& rows) {
  constexpr std::int64_t kBlockNumbers = std::int64_t{8} << 20;
  return std::max<std::int64_t>(1, kBlockNumbers / rows.size(1));
}

/// Collective. The sum over ranks, of numbers on any device.
at::Tensor sum_of_ranks(Communicator& comm, at::Tensor numbers) {
  comm.all_reduce(numbers, ReduceOp::kSum);
  return numbers;
}

/// How features become z.
struct Scaling {
  at::Tensor mean;       // [D] fp64
  at::Tensor deviation;  // [D] fp64; 1 where a feature is always the same
};

/// Collective. Of the rows of all ranks.
Scaling scaling_of(Communicator& comm, const at::Tensor& rows) {
  const at::TensorOptions doubles = rows.options().dtype(at::kDouble);
  const std::int64_t together = block_rows(rows);
  const auto mean_over_ranks = [&](const auto& of_block) {
    at::Tensor sums = at::zeros({rows.size(1) + 1}, doubles);
    for (std::int64_t begin = 0; begin < rows.size(0); begin += together) {
      const at::Tensor block = rows.slice(0, begin, begin + together).to(at::kDouble);
      sums.slice(0, 0, -1).add_(of_block(block).sum(0));
      sums.slice(0, -1).add_(static_cast<double>(block.size(0)));
    }
    sums = sum_of_ranks(comm, sums);
    return sums.slice(0, 0, -1).div(sums.slice(0, -1));
  };
  Scaling scaling;
  scaling.mean = mean_over_ranks([](const at::Tensor& block) { return block; });
  // Around the mean, so that nothing cancels.
  scaling.deviation =
      mean_over_ranks([&](const at::Tensor& block) { return block.sub(scaling.mean).square(); }).sqrt_();
  scaling.deviation.masked_fill_(scaling.deviation.eq(0.0), 1.0);
  return scaling;
}

/// Logits [n, classes] fp64 of some rows.
struct Classifier {
  Scaling scaling;
  at::Tensor weights;  // [classes, D + 1] fp64

  at::Tensor scaled(const at::Tensor& block) const {
    return block.to(at::kDouble).sub(scaling.mean).div_(scaling.deviation);
  }
  at::Tensor logits(const at::Tensor& z) const {
    return at::addmm(weights.select(1, -1), z, weights.slice(1, 0, -1).t());
  }
};

/// Collective. Share of right answers over the rows of all ranks; NaN without rows.
double accuracy_of(Communicator& comm, const Classifier& classifier, const ProbeRows& data) {
  at::Tensor counts = at::zeros({2}, data.rows.options().dtype(at::kLong));
  const std::int64_t together = block_rows(data.rows);
  for (std::int64_t begin = 0; begin < data.rows.size(0); begin += together) {
    const at::Tensor block = data.rows.slice(0, begin, begin + together);
    const at::Tensor labels = data.labels.slice(0, begin, begin + together);
    counts[0].add_(classifier.logits(classifier.scaled(block)).argmax(1).eq(labels).sum());
    counts[1].add_(block.size(0));
  }
  counts = sum_of_ranks(comm, counts).to(at::kCPU);
  return static_cast<double>(counts[0].item<std::int64_t>()) / static_cast<double>(counts[1].item<std::int64_t>());
}

/// The mean loss over the rows of all ranks, with its gradient, one look at all rows at a time.
class ProbeLoss {
 public:
  /// `total` rows of all ranks.
  ProbeLoss(Communicator& comm, const ProbeRows& own, Classifier& classifier, std::int64_t total)
      : comm_(comm), own_(own), classifier_(classifier), total_(total) {}

  /// Collective. Loss (a number on every rank) of the classifier's weights; their gradient goes into `gradient`.
  at::Tensor operator()(double l2, at::Tensor& gradient) const {
    const at::Tensor& weights = classifier_.weights;
    // The gradient with the loss behind it: one message.
    at::Tensor sums = at::zeros({weights.numel() + 1}, weights.options());
    at::Tensor slopes = sums.slice(0, 0, -1).view(weights.sizes());
    const std::int64_t together = block_rows(own_.rows);
    for (std::int64_t begin = 0; begin < own_.rows.size(0); begin += together) {
      const at::Tensor z = classifier_.scaled(own_.rows.slice(0, begin, begin + together));
      const at::Tensor labels = own_.labels.slice(0, begin, begin + together).unsqueeze(1);  // [n, 1]
      const at::Tensor shares = at::log_softmax(classifier_.logits(z), 1);                   // [n, classes]
      sums.slice(0, -1).sub_(shares.gather(1, labels).sum());
      const at::Tensor slope = shares.exp();
      slope.scatter_add_(1, labels, at::full_like(labels, -1.0, slope.options()));
      slopes.slice(1, 0, -1).addmm_(slope.t(), z);
      slopes.select(1, -1).add_(slope.sum(0));
    }
    sums = sum_of_ranks(comm_, sums).div_(static_cast<double>(total_));
    const at::Tensor matrix = weights.slice(1, 0, -1);
    gradient = sums.slice(0, 0, -1).view(weights.sizes());
    gradient.slice(1, 0, -1).add_(matrix, l2);
    return sums.select(0, -1) + 0.5 * l2 * matrix.square().sum();
  }

 private:
  Communicator& comm_;
  const ProbeRows& own_;
  Classifier& classifier_;
  std::int64_t total_;
};

/// Collective. Trains the classifier from where it is. What L-BFGS decides by is equal on every rank, and so every rank
/// makes the same looks.
void train_classifier(Communicator& comm, const ProbeRows& own, std::int64_t total, double l2,
                      const LinearProbeOptions& options, Classifier& classifier) {
  at::Tensor& weights = classifier.weights;
  weights.requires_grad_(true);
  constexpr std::int64_t kRemembered = 10;
  // Of loss and weights: what fp64 cannot tell any more.
  constexpr double kLeastChange = 1e-14;
  torch::optim::LBFGS optimizer({weights}, torch::optim::LBFGSOptions(1.0)
                                               .max_iter(options.most_iterations)
                                               .history_size(kRemembered)
                                               .tolerance_grad(options.tolerance)
                                               .tolerance_change(kLeastChange)
                                               .line_search_fn("strong_wolfe"));
  const ProbeLoss loss(comm, own, classifier, total);
  optimizer.step([&] {
    const at::NoGradGuard no_grad;
    at::Tensor gradient;
    const at::Tensor value = loss(l2, gradient);
    weights.mutable_grad() = gradient.clone();
    return value;
  });
  weights.requires_grad_(false);
}

/// The rows of this rank whose numbers in the global order are among `wanted` [m] int64, rising.
ProbeRows among(const ProbeRows& own, std::int64_t first, const at::Tensor& wanted) {
  const at::Tensor here = wanted.masked_select(wanted.ge(first).logical_and(wanted.lt(first + own.rows.size(0))));
  const at::Tensor places = here.sub(first).to(own.rows.device());
  return {own.rows.index_select(0, places), own.labels.index_select(0, places)};
}

/// Training rows of all ranks.
struct AllRows {
  at::Tensor labels;  // [N] int64, on the host
  /// Of this rank's.
  std::int64_t first = 0;
};

/// Collective.
AllRows gather_labels(Communicator& comm, const ProbeRows& own) {
  const at::Tensor count = at::full({1}, own.rows.size(0), own.labels.options());
  const at::Tensor counts = comm.all_gather(count).to(at::kCPU);  // [P]
  const auto* sizes = counts.const_data_ptr<std::int64_t>();
  const std::vector<std::int64_t> rows(sizes, sizes + counts.numel());
  AllRows all;
  for (int rank = 0; rank < comm.rank(); ++rank) all.first += rows[static_cast<std::size_t>(rank)];
  all.labels = comm.all_gather(own.labels.contiguous(), rows).to(at::kCPU);
  return all;
}

}  // namespace

void LinearProbeOptions::validate() const {
  if (l2.empty()) throw std::invalid_argument("A linear probe needs a strength of its penalty.");
  for (const double strength : l2) {
    if (strength > 0.0 && std::isfinite(strength)) continue;
    throw std::invalid_argument(
        "The penalty of a linear probe must be above 0: without one the best weights of classes "
        "that a line parts are without bound.");
  }
  if (!(validation_share > 0.0) || !(validation_share < 1.0)) {
    throw std::invalid_argument("A linear probe keeps a part of the training rows, between 0 and 1.");
  }
  if (classes < 1 || most_iterations < 1) throw std::invalid_argument("A linear probe needs classes and iterations.");
}

LinearProbeResult linear_probe(Communicator& comm, const ProbeRows& train, const ProbeRows& test,
                               const LinearProbeOptions& options) {
  options.validate();
  const at::NoGradGuard no_grad;
  const AllRows all = gather_labels(comm, train);
  const std::int64_t total = all.labels.size(0);
  constexpr std::int64_t kFewest = 2;
  if (total < kFewest) throw std::invalid_argument("A linear probe needs at least two training images.");
  LinearProbeResult result;
  result.l2 = options.l2.front();
  const Scaling scaling = scaling_of(comm, train.rows);
  const auto untrained = [&] {
    return Classifier{scaling, at::zeros({options.classes, train.rows.size(1) + 1}, scaling.mean.options())};
  };
  const auto kept =
      std::clamp<std::int64_t>(std::llround(options.validation_share * static_cast<double>(total)), 1, total - 1);
  if (options.l2.size() > 1) {
    const HeldOut parts = hold_out(total, all.labels, {kept, /*drawn=*/true});
    const ProbeRows fitted = among(train, all.first, parts.train), checked = among(train, all.first, parts.test);
    // Each begins where the one before ended: they are neighbours.
    Classifier classifier = untrained();
    double best = -1.0;
    for (const double l2 : options.l2) {
      train_classifier(comm, fitted, parts.train.size(0), l2, options, classifier);
      result.validation.push_back(accuracy_of(comm, classifier, checked));
      if (result.validation.back() <= best) continue;
      best = result.validation.back();
      result.l2 = l2;
    }
  }
  Classifier classifier = untrained();
  train_classifier(comm, train, total, result.l2, options, classifier);
  result.weights = classifier.weights;
  result.accuracy = accuracy_of(comm, classifier, test);
  return result;
}

}  // namespace negatron
