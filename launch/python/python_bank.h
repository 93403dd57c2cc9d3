#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "launch/python/batch_record.h"
#include "launch/python/hardest_rows.h"
#include "launch/python/python_group.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron::python {

/// What the encoder made of some samples. b rows.
struct SampleFeatures {
  at::Tensor ids;       // [b] int64
  at::Tensor features;  // [b, d] of any floating dtype, on the bank's device
  at::Tensor labels;    // [b] int64 or undefined
};

/// A bank of any kind over the ranks of a group, as a Python program holds it. Collective members first agree on what
/// ranks bring, so that a mistake on one of them is an exception on all.
class ProgramBank {
 public:
  /// Collective. Throws std::invalid_argument and DisagreementError.
  ProgramBank(std::shared_ptr<Group> group, const BankOptions& options);
  /// The bank of the snapshot at `path`, or of the newest one of a run there, whatever number of ranks saved it; of
  /// several that of this name, else empty. `dtype` converts its rows unless undefined. Collective. Throws
  /// SnapshotError, and std::invalid_argument where the name leaves open which bank is meant.
  static std::shared_ptr<ProgramBank> load(std::shared_ptr<Group> group, const std::string& path,
                                           const std::string& name, at::Device device, at::ScalarType dtype);

  /// Of a queue: keys [b, d] of any floating dtype on the bank's device, ids and labels [b] int64 or undefined. Ranks
  /// may bring different numbers of keys. Counts a step. Collective.
  void enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels);

  /// Of rows of samples: those of ids [b] int64, [b, d] as they are stored, on the bank's device. Ranks may ask for
  /// different numbers of them. Collective.
  at::Tensor fetch(const at::Tensor& ids);
  /// Of a memory bank: v <- blended() (exchange/rows/sample_rows.h) with features [b, d] of the samples ids [b]; of one
  /// that is there twice the first counts, in the order of the ranks. Counts a step. Collective.
  void blend(const at::Tensor& ids, const at::Tensor& features, const at::Tensor& labels, double momentum);
  /// Of rows of samples: they become what features are, and rows that learn are at rest then. Collective.
  void write(const at::Tensor& ids, const at::Tensor& features, const at::Tensor& labels);

  /// Of rows that learn: adds `factor` (a scalar) times a gradient by this rank's rows, which waits for step_rows().
  /// Local.
  void add_gradient(const GradientOfRows& gradient, const at::Tensor& factor);
  /// [n, d] what has been added since; undefined for nothing. Local.
  at::Tensor gradient() const;
  void drop_gradient();
  /// Rows take a step of `optimizer`, of the bank's kind, by what was added, divided by `divisor`. Counts a step.
  /// Throws std::invalid_argument on all ranks where nothing was added on one, and DisagreementError where factors
  /// differ, as rows have the queries of all ranks in their gradient. Collective.
  void step_rows(const RowOptimizer& optimizer, double divisor);
  /// Of an index, which steps leave alone: a loss was trained over it. Local.
  void count_step() noexcept { ++step_; }

  /// Collective.
  HardestRows hardest(const at::Tensor& queries, std::int64_t count);
  /// Collective. Throws SnapshotError.
  void save(const std::string& path);

  /// Empty, or why `ids` are not [b] int64 of samples whose rows the bank has. Local.
  std::string problem_of_ids(const at::Tensor& ids) const;
  const Bank& bank() const noexcept { return *bank_; }
  const std::shared_ptr<Group>& group() const noexcept { return group_; }
  /// How often keys were enqueued, or rows blended or trained, over all runs that the bank comes from.
  std::int64_t step() const noexcept { return step_; }

 private:
  ProgramBank(std::shared_ptr<Group> group, std::unique_ptr<Bank> bank, std::int64_t step);
  /// What blend() and write() do once they may.
  void mix(BatchRecord record, const std::string& kind_problem, const SampleFeatures& given, double momentum);

  std::shared_ptr<Group> group_;
  std::unique_ptr<Bank> bank_;
  BankExchange exchange_;
  std::int64_t step_ = 0;
  /// What waits for step_rows(), and the sum of its factors, a scalar.
  GradientOfRows pending_;
  at::Tensor factors_;
};

/// Empty, or why `vectors`, which a message calls `name`, are not [b, d] of the bank's width on its device. Local.
std::string problem_of(const Bank& bank, const std::string& name, const at::Tensor& vectors);
/// Empty, or why `values` are not [b] int64; undefined ones are. Local.
std::string problem_of_numbers(const std::string& name, const at::Tensor& values, std::int64_t rows);

}  // namespace negatron::python
