#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"

namespace negatron::python {

/// What a rank has called. All ranks call the same, in one order.
enum class BatchCall : std::int8_t { kLoss, kEnqueue, kHardest, kFetch, kBlend, kWrite, kStepRows };

/// "loss", "enqueue", ... as Python's methods are called.
std::string name_of(BatchCall call);
/// Throws std::invalid_argument for a name that name_of() does not give.
BatchCall call_of(const std::string& name);

/// What a rank says of its part of a batch before any of it travels.
struct BatchRecord {
  BatchCall call = BatchCall::kLoss;
  /// b, which ranks may have different.
  std::int64_t rows = 0;
  // Alike on all ranks.
  /// The training step; of kHardest how many rows are wanted.
  std::int64_t step = 0;
  at::ScalarType dtype = at::kFloat;
  bool has_ids = false;
  bool has_labels = false;
  bool queries_take_gradient = false;
  bool keys_take_gradient = false;
  /// Of a loss: whether keys were given.
  bool has_keys = false;
  bool trains = false;
  double epoch = 0.0;
  double progress = 0.0;
  /// What else ranks must have alike, in words that a message may show: "momentum 0.5".
  std::string settings{};
};

/// Tells all ranks this rank's record, or the `problem` for which it cannot take part (empty for none), and returns b
/// of every rank. Throws std::invalid_argument on all ranks when one has a problem, DisagreementError on all when
/// records differ. Collective. Bytes received per rank: 48 (P - 1), and after a problem, or where settings differ, all
/// texts.
std::vector<std::int64_t> agree_on_batch(Communicator& comm, const BatchRecord& record, const std::string& problem);

/// The rows [b, ...] of all ranks, of which each has `sizes`, cut anew so that every rank has its share() of them, as a
/// queue wants its keys. Collective unless they are cut so already; then `values` itself. Bytes received per rank: at
/// most those of its share.
at::Tensor in_equal_shares(Communicator& comm, const at::Tensor& values, const std::vector<std::int64_t>& sizes);

}  // namespace negatron::python
