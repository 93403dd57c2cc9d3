#pragma once

#include <vector>

#include "runtime/snapshots/trainer_state.h"
#include "samplers/bank/bank.h"
#include "tests/reference/plain_queue.h"

namespace negatron::testing {

/// A run without training: a bank whose content is a function of the step, and the plain queue that it must equal.
struct SmallRun {
  std::int64_t rows = 23;
  std::int64_t width = 5;
  at::ScalarType dtype = at::kFloat;
  BankFill fill = BankFill::kRandom;
  /// The batch of step s has batches[s % size] keys; the bank is laid out for the first of them.
  std::vector<std::int64_t> batches{6};
  /// Raw keys are as long as their number in sequence, modulo 5, is large.
  RowLength length = RowLength::kUnit;
  /// Rows that stay have no queue() to be equal to.
  BankKind kind = BankKind::kQueue;

  BankOptions options() const;
  Bank bank(int rank, int ranks) const;
  /// Steps [first, last).
  void train(Bank& bank, std::int64_t first, std::int64_t last) const;
  /// After steps [0, steps), by definition, in the bank's dtype.
  PlainQueue queue(std::int64_t steps) const;
  /// Keys and ids of sequence numbers [begin, end), counted without the random fill. Ids repeat; some keys have none.
  static at::Tensor key_vectors(Range sequence, std::int64_t width,
                                RowLength length = RowLength::kUnit);  // [n, d] fp64
  static at::Tensor key_ids(Range sequence);
  /// What a trainer would remember after `steps` steps.
  TrainerState state(std::int64_t steps) const;

 private:
  /// What a step does to own rows that stay.
  void change(Bank& bank, std::int64_t step) const;
};

}  // namespace negatron::testing
