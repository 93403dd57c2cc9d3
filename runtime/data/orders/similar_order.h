#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "comm/communicator.h"

namespace negatron {

/// How batches are made of samples that are alike.
struct SimilarBatches {
  std::int64_t global_batch = 0;
  /// Of the samples beside a batch's first, the share that is chosen for being like it, 0 to 1.
  double similar = 0.0;
  /// Of all that is random.
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
};

/// An order of `count` samples, each once, whose batches are hard: each begins with a random sample, then come those
/// left over that are most like it, then random ones. Batches are in random order; one that is not full stays the last.
/// Our reconstruction of Choi et al., Adaptive Batch Scheduling, IEEE Access 2021, whose paper we know by its abstract:
/// batches whose own negatives become harder in the course of training.
///
/// `own_rows` [n, d] unit rows of this rank's share() of the samples, of any floating type, on the host. Scores are
/// fp64 rounded to fp32 and ties go to the lower sample: [count] int64, the same on any number of ranks. `pause` is
/// called every so many batches, as often on every rank, and may be collective; may be empty.
///
/// Collective. Bytes received per rank and batch: d 8 of the first sample's row, and (P - 1) m 8 of keys, m being the
/// samples that are chosen.
at::Tensor similar_order(Communicator& comm, const at::Tensor& own_rows, std::int64_t count,
                         const SimilarBatches& batches, const std::function<void()>& pause = {});

/// Of all pairs of samples in one batch of `order` the share that has one label, 0 to 1. labels [count] int64, below 0
/// for none. Local.
double same_label_share(const at::Tensor& order, const at::Tensor& labels, std::int64_t global_batch);

}  // namespace negatron
