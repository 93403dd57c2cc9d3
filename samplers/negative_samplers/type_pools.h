#pragma once

#include <string>
#include <vector>

#include "samplers/bank/bank.h"
#include "samplers/exchange/ranking/row_pool.h"
#include "samplers/options/method_options.h"

namespace negatron {

/// A bank as one pool of several types of rows, such as modalities or sources (SAMPLERS.md 14).
/// The type of a row is that of its sample, so ranks know the types of their rows without a word; rows of no sample,
/// the random ones of the start, have none.
class TypePools {
 public:
  /// sample_types [samples] int64, from 0, below 0 for none. `budgets`: of how many rows of each type a hard set is
  /// made. `scales`: what the scores of each type count when all types are ranked together. One of the two is empty;
  /// when both are there is nothing to choose. `method` is for messages. Throws std::invalid_argument when their number
  /// is not that of the types, when a budget is no whole number, and when there is a budget or scale but no types.
  TypePools(const std::string& method, const at::Tensor& sample_types, const NumberList& budgets,
            const NumberList& scales);

  bool empty() const noexcept { return budgets_.empty() && scales_.empty(); }
  /// With budgets, one pool for each type that has one; with scales one pool of all rows and the `n` best of it.
  /// Local; as many on every rank.
  std::vector<HardPool> of(const Bank& bank, std::int64_t n) const;
  /// N of all pools together.
  std::int64_t hard_rows(std::int64_t n) const;

 private:
  /// [n] int64 on the host, -1 for none.
  at::Tensor types_of_rows(const Bank& bank) const;

  at::Tensor sample_types_;
  std::vector<std::int64_t> budgets_;
  std::vector<double> scales_;
};

/// How many types there are: one more than the largest. Local.
std::int64_t count_types(const at::Tensor& sample_types);

}  // namespace negatron
