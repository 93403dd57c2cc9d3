#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "launch/python/hardest_rows.h"
#include "launch/python/python_group.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron::python {

/// A queue of K keys over the ranks of a group, as a Python program holds it. Collective members first agree on what
/// ranks bring, so that a mistake on one of them is an exception on all.
class ProgramBank {
 public:
  /// Collective. Throws std::invalid_argument and DisagreementError.
  ProgramBank(std::shared_ptr<Group> group, const BankOptions& options);
  /// The bank of the snapshot at `path`, or of the newest one of a run there, whatever number of ranks saved it;
  /// `dtype` converts its rows unless undefined. Collective. Throws SnapshotError.
  static std::shared_ptr<ProgramBank> load(std::shared_ptr<Group> group, const std::string& path, at::Device device,
                                           at::ScalarType dtype);

  /// keys [b, d] of any floating dtype on the bank's device, ids and labels [b] int64 or undefined. Ranks may bring
  /// different numbers of keys. Counts a step. Collective.
  void enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels);
  /// Collective.
  HardestRows hardest(const at::Tensor& queries, std::int64_t count);
  /// Collective. Throws SnapshotError.
  void save(const std::string& path);

  const Bank& bank() const noexcept { return *bank_; }
  const std::shared_ptr<Group>& group() const noexcept { return group_; }
  /// How often keys were enqueued, over all runs that the bank comes from.
  std::int64_t step() const noexcept { return step_; }

 private:
  ProgramBank(std::shared_ptr<Group> group, std::unique_ptr<Bank> bank, std::int64_t step);

  std::shared_ptr<Group> group_;
  std::unique_ptr<Bank> bank_;
  BankExchange exchange_;
  std::int64_t step_ = 0;
};

/// Empty, or why `vectors`, which a message calls `name`, are not [b, d] of the bank's width on its device. Local.
std::string problem_of(const Bank& bank, const std::string& name, const at::Tensor& vectors);
/// Empty, or why `values` are not [b] int64; undefined ones are. Local.
std::string problem_of_numbers(const std::string& name, const at::Tensor& values, std::int64_t rows);

}  // namespace negatron::python
