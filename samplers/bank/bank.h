#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/bank_copy.h"
#include "samplers/bank/bank_layout.h"
#include "samplers/bank/bank_shard.h"
#include "samplers/bank/gradient_of_rows.h"
#include "samplers/bank/id_index.h"
#include "samplers/bank/learned_copy.h"
#include "samplers/bank/memory_copy.h"
#include "samplers/bank/queue_copy.h"
#include "samplers/bank/row_length.h"
#include "samplers/bank/row_optimizer.h"
#include "samplers/bank/rows.h"

namespace negatron {

enum class BankKind {
  /// The last K keys of all ranks, first in, first out, as MoCo keeps them.
  kQueue,
  /// A row for each of K samples, which stays: slot s is that of the sample with id s, and holds a running mean of what
  /// the encoder made of it (Wu et al., InstDisc, CVPR 2018; BANK.md 6).
  kMemory,
  /// K rows that are trained, against the loss (Hu et al., AdCo, CVPR 2021; BANK.md 7). They belong to no sample.
  kLearned,
  /// A row for each of K samples, as the encoder made them when all were last made anew, at once (the index of Xiong et
  /// al., ANCE, ICLR 2021; BANK.md 8).
  kIndex,
  /// A row for each of K samples, which is trained with the encoder: the weights of a classifier that tells each sample
  /// from all others (Cao et al., PIC, NeurIPS 2020; BANK.md 9).
  kParametric
};

/// Whether a bank of that kind has K rows that stay, in one batch, each with an age of its own; a queue has not.
constexpr bool rows_stay(BankKind kind) {
  return kind != BankKind::kQueue;
}

/// Whether slot s is that of the sample with id s.
constexpr bool rows_have_samples(BankKind kind) {
  return kind == BankKind::kMemory || kind == BankKind::kIndex || kind == BankKind::kParametric;
}

/// Whether the positive of a query is its own sample's row, so that a step has one view of each sample.
constexpr bool rows_are_positives(BankKind kind) {
  return kind == BankKind::kMemory || kind == BankKind::kParametric;
}

/// Whether rows are parameters, of which the bank has raw rows and what their optimizer remembers.
constexpr bool rows_learn(BankKind kind) {
  return kind == BankKind::kLearned || kind == BankKind::kParametric;
}

enum class BankFill {
  /// Random unit rows that the first keys push out, as MoCo does: the loss has its full size from the first step.
  kRandom,
  /// No row scores before a key was written: cleaner early negatives, a loss that grows while the bank fills.
  kEmpty,
  /// Of rows that stay: their owner writes what the encoder makes of samples before the first step.
  kFeatures
};

struct BankOptions {
  /// K, over all ranks. Any number.
  std::int64_t rows = 0;
  /// Of a row: row_width() of the vectors that it is made of.
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
  BankKind kind = BankKind::kQueue;
  /// Of the rows that are written, as rows_of_vectors() gives them (row_geometry.h). kAsMade takes any; the vectors of
  /// the random ones of the start are of length 1 all the same.
  RowLength length = RowLength::kUnit;
  /// Of rows that learn: what the bank has to remember of each.
  RowOptimizerKind row_optimizer = RowOptimizerKind::kSgd;
};

/// How old the rows are that a step wrote.
struct WrittenRows {
  std::int64_t count = 0;
  /// Of the steps that wrote them.
  std::int64_t step_sum = 0;
};

/// Gives the keys with these sequence numbers, all of one batch: vectors [m, d] of any floating dtype on the host, ids
/// and labels [m] int64, and where rows learn raw rows and moments, as BankShard. Asked in ascending order.
using BankRowReader = std::function<BankBlock(Range sequence)>;

/// The bank. A queue holds the last K keys of all ranks, each kept by the rank that made it; the other kinds hold K
/// rows that stay, of samples, trained or both, each kept by the rank whose share() of them it is in. All members are
/// local, and all ranks call `enqueue` for the same steps with the same `global_batch`.
class Bank {
 public:
  /// Throws std::invalid_argument when a count is below 1, the dtype is not a floating one, or K is not below 2^32:
  /// selection keys hold slots in 32 bits; also for a learned bank of inner products, whose rows would grow without
  /// end, and for rows that cannot be stored in that type (row_geometry.h). Rows that stay begin as random ones,
  /// whatever `fill` says.
  Bank(const BankOptions& options, int rank, int ranks);

  /// Of a queue: appends this rank's share() of a global batch of `global_batch` keys and lets the oldest expire.
  /// keys [b, d] in any floating dtype (copied, no gradient), ids [b] int64, labels [b] int64 or undefined. `step` is
  /// the training step, at least 0. Throws std::invalid_argument when a shape or a dtype does not fit.
  void enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
               std::int64_t global_batch);

  /// Of rows that stay: own rows `rows` [m] int64 on the host, each once, become `vectors` [m, d] of any floating
  /// dtype, written at `step`, -1 for none; learned ones are at rest then. labels [m] int64 or undefined, which leaves
  /// those that are there. Throws std::invalid_argument when a shape or a dtype does not fit.
  void replace(const at::Tensor& rows, const at::Tensor& vectors, const at::Tensor& labels, std::int64_t step);

  /// Of rows that learn: own rows take a step of `optimizer` by the gradient with respect to the rows as they score;
  /// all of them, or those that have a gradient where the others stay as they are. Throws std::invalid_argument
  /// when a shape does not fit or the optimizer is of another kind than the bank's.
  void train(const GradientOfRows& gradient, const RowOptimizer& optimizer, std::int64_t step);

  /// Replaces the whole content by the bank of `state`, on any number of ranks: `read` is asked for the keys that this
  /// rank owns. On as many ranks as the bank was saved from, the rows that count lie where they lay. Throws
  /// std::invalid_argument when the state is not one of a bank of this capacity; a throw leaves the bank unusable.
  void restore(const BankLayoutState& state, const BankRowReader& read);
  /// This rank's rows as they are now, to be read from another thread while the bank goes on. Copies nothing yet:
  /// `enqueue` and `replace` set aside what they are about to overwrite and what has not been read, and `train`, which
  /// changes every row as a `replace` of all does, leaves the copy its tensors. One copy at a time: an older one that
  /// still lives is no longer kept up, so the caller drops it first.
  std::shared_ptr<BankCopy> start_copy();

  const BankShard& shard() const noexcept { return shard_; }
  /// The rows that were written at step `oldest_step` or later, and the random rows of the start, which have no age:
  /// the tensors of shard() with a validity and leaf counts of their own. To be used before the next enqueue.
  Rows rows_no_older_than(std::int64_t oldest_step) const;
  /// ids [Q] int64 -> [M, 2] int64 on the host: pairs (position in ids, local row) of valid rows that hold that sample.
  at::Tensor rows_with_ids(const at::Tensor& ids) const;

  /// K
  std::int64_t capacity() const noexcept { return layout_.capacity(); }
  std::int64_t width() const noexcept { return options_.width; }
  /// Rows that may score, over all ranks; random ones included. Replicated, no communication.
  std::int64_t filled() const noexcept { return layout_.filled(); }
  /// Of a queue: mean age in steps of all ranks' rows that a step wrote. Replicated, no communication.
  double mean_age(std::int64_t step) const { return layout_.mean_age(step); }
  /// Of rows that stay: this rank's rows that a step wrote.
  WrittenRows written() const noexcept { return written_; }
  BankKind kind() const noexcept { return options_.kind; }
  const BankLayout& layout() const noexcept { return layout_; }
  const BankOptions& options() const noexcept { return options_; }
  int rank() const noexcept { return rank_; }

 private:
  void fill_with_random_rows();
  /// [slots, width] fp64 on the host: rows of random unit vectors.
  at::Tensor random_rows(Range slots) const;
  /// Of rows that stay: all K at once, those of samples each with the id of its slot.
  void fill_for_good();
  /// Of rows that learn: own rows that were set, [m] int64 on its device, are at rest, and raw rows are what was set.
  void rest(const at::Tensor& rows);
  /// Of rows that learn: those that the gradient is of take a step, and no others.
  void train_met(const GradientOfRows& gradient, const RowOptimizer& optimizer, std::int64_t step);
  /// Own rows [m] int64 on the host, each once, were written at `step`.
  void write_step(const at::Tensor& rows, std::int64_t step);
  /// Of rows that learn: goes on with copies of its tensors, if a LearnedCopy reads those there are.
  void leave_to_copy();
  /// Of rows that stay: own rows that were written before `oldest_step`.
  std::vector<std::int64_t> rows_before(std::int64_t oldest_step) const;
  /// So many more rows that `step` wrote, if it is one.
  void count_written(std::int64_t step, std::int64_t rows);
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
  WrittenRows written_;
  std::weak_ptr<QueueCopy> queue_copy_;
  std::weak_ptr<MemoryCopy> memory_copy_;
  std::weak_ptr<LearnedCopy> learned_copy_;
};

}  // namespace negatron
