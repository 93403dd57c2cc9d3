#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/bank_copy.h"
#include "samplers/bank/bank_layout.h"
#include "samplers/bank/bank_shard.h"
#include "samplers/bank/id_index.h"
#include "samplers/bank/rows.h"

namespace negatron {

enum class BankFill {
  /// Random unit rows that the first keys push out, as MoCo does: the loss has its full size from the first step.
  kRandom,
  /// No row scores before a key was written: cleaner early negatives, a loss that grows while the bank fills.
  kEmpty
};

struct BankOptions {
  /// K, over all ranks. Any number.
  std::int64_t rows = 0;
  /// d
  std::int64_t width = 0;
  /// How rows are stored: fp64, fp32, bf16 or fp16.
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
  BankFill fill = BankFill::kRandom;
  /// Of the random rows; the same bank for any number of ranks.
  std::uint64_t seed = 0;
  /// The keys per step over all ranks to lay the bank out for. Other batch sizes are right too, and cost a move of the
  /// shard the first time that they do not fit.
  std::int64_t global_batch = 0;
};

/// Gives the keys with these sequence numbers, all of one batch: vectors [m, d] of any floating dtype on the host, ids
/// and labels [m] int64. Asked in ascending order.
using BankRowReader = std::function<BankBlock(Range sequence)>;

/// The bank: the last K keys of all ranks, each kept by the rank that made it. All members are local, and all ranks
/// call `enqueue` for the same steps with the same `global_batch`.
class Bank {
 public:
  /// Throws std::invalid_argument when a count is below 1, the dtype is not a floating one, or K is not below 2^32:
  /// selection keys hold slots in 32 bits.
  Bank(const BankOptions& options, int rank, int ranks);

  /// Appends this rank's share() of a global batch of `global_batch` keys and lets the oldest expire.
  /// keys [b, d] in any floating dtype (copied, no gradient), ids [b] int64, labels [b] int64 or undefined. `step` is
  /// the training step, at least 0. Throws std::invalid_argument when a shape or a dtype does not fit.
  void enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
               std::int64_t global_batch);

  /// Replaces the whole content by the bank of `state`, on any number of ranks: `read` is asked for the keys that this
  /// rank owns. On as many ranks as the bank was saved from, the rows that count lie where they lay. Throws
  /// std::invalid_argument when the state is not one of a bank of this capacity; a throw leaves the bank unusable.
  void restore(const BankLayoutState& state, const BankRowReader& read);
  /// This rank's rows as they are now, to be read from another thread while `enqueue` goes on. Copies nothing yet:
  /// `enqueue` sets aside what it is about to overwrite and what has not been read. One copy at a time: an older one
  /// that still lives is no longer kept up, so the caller drops it first.
  std::shared_ptr<BankCopy> start_copy();

  const BankShard& shard() const noexcept { return shard_; }
  /// The rows that were written at step `oldest_step` or later, and the random rows of the start, which have no age:
  /// the tensors of shard() with a validity and leaf counts of their own. To be used before the next enqueue.
  Rows rows_no_older_than(std::int64_t oldest_step) const;
  /// ids [Q] int64 -> [M, 2] int64 on the host: pairs (position in ids, local row) of valid rows that hold that sample.
  at::Tensor rows_with_ids(const at::Tensor& ids) const { return index_.find(ids); }

  /// K
  std::int64_t capacity() const noexcept { return layout_.capacity(); }
  std::int64_t width() const noexcept { return options_.width; }
  /// Rows that may score, over all ranks; random ones included. Replicated, no communication.
  std::int64_t filled() const noexcept { return layout_.filled(); }
  /// Mean age in steps of all ranks' rows that a step wrote. Replicated, no communication.
  double mean_age(std::int64_t step) const { return layout_.mean_age(step); }
  const BankLayout& layout() const noexcept { return layout_; }
  const BankOptions& options() const noexcept { return options_; }
  int rank() const noexcept { return rank_; }

 private:
  void fill_with_random_rows();
  void append(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
              std::int64_t global_batch);
  void write(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step);
  void allocate();
  void move_to_new_grid(const BankShard& old, std::int64_t old_columns);
  void mark(const std::vector<std::int64_t>& rows, bool valid);
  void publish_validity();

  BankOptions options_;
  int rank_;
  BankLayout layout_;
  IdIndex index_;
  BankShard shard_;
  /// [n] as Rows::validity, kept even while every row may score.
  at::Tensor validity_;
  std::weak_ptr<BankCopy> copy_;
};

}  // namespace negatron
