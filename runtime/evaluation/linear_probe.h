#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"

namespace negatron {

/// How well a linear classifier of frozen features does: multinomial logistic regression,
///   min over W, b of  mean_i CE(W z_i + b, y_i) + l2 / 2 |W|^2,
/// where z are the features, each scaled to mean 0 and deviation 1 over the training rows. (scikit-learn's C is
/// 1 / (l2 N).) Convex, so that where the optimizer begins and how many ranks share the rows does not matter.
struct LinearProbeOptions {
  /// Tried in this order on a part of the training rows that is kept apart; the best, of equals the first, is trained
  /// on all of them.
  std::vector<double> l2 = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
  /// The part kept apart, the same share of each label, drawn without regard to anything else.
  double validation_share = 0.1;
  std::int64_t classes = 10;
  /// Of L-BFGS, each of which looks at all rows once or twice.
  std::int64_t most_iterations = 200;
  /// It ends where no element of the gradient is larger.
  double tolerance = 1e-6;

  /// Throws std::invalid_argument in one sentence.
  void validate() const;
};

/// Rows of a rank, and labels below `classes`.
struct ProbeRows {
  at::Tensor rows;    // [n, D], any floating type and device
  at::Tensor labels;  // [n] int64
};

struct LinearProbeResult {
  /// Share of the test rows of all ranks that are classified right; the same on every rank.
  double accuracy = 0.0;
  /// The strength that was chosen, and what each did on the part kept apart.
  double l2 = 0.0;
  std::vector<double> validation;
  /// [classes, D + 1] fp64, of scaled features; the last column is b.
  at::Tensor weights;
};

/// Collective; any number of rows on any rank. In fp64. Bytes received per rank: 8 (D + 1) classes for each look at all
/// rows, and 8 a training row once. Throws std::invalid_argument on every rank when there are not two training rows.
LinearProbeResult linear_probe(Communicator& comm, const ProbeRows& train, const ProbeRows& test,
                               const LinearProbeOptions& options);

}  // namespace negatron
