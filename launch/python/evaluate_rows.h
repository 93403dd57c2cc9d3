#pragma once

#include <memory>
#include <optional>

#include <ATen/ATen.h>

#include "launch/python/python_group.h"
#include "runtime/evaluation/knn.h"
#include "runtime/evaluation/linear_probe.h"

namespace negatron::python {

/// This rank's features of two sets, of which the ranks' parts make up one list each, in the order of the ranks. Any
/// number on any rank, of any length and floating dtype, on one device.
struct LabelledFeatures {
  at::Tensor train;         // [n, D]
  at::Tensor train_labels;  // [n] int64, 0 or more
  at::Tensor test;          // [m, D]
  at::Tensor test_labels;   // [m] int64
};

/// The kNN of `negatron evaluate`: of features in fp32, scaled to length 1. `options.classes` 0 takes one more than the
/// largest label of all ranks. Collective. Throws std::invalid_argument and DisagreementError on all ranks, where one
/// cannot take part or ranks ask for different things.
KnnResult knn_of_features(const std::shared_ptr<Group>& group, const LabelledFeatures& features, KnnOptions options);

/// Its linear probe; the same of it.
LinearProbeResult probe_of_features(const std::shared_ptr<Group>& group, const LabelledFeatures& features,
                                    LinearProbeOptions options);

}  // namespace negatron::python
