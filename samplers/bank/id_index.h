#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Finds the local rows that hold a sample id, on the host: the cost of masking own samples is then one look-up per
/// query and not a comparison of every query with every row. Holds valid rows only. An id below 0 means "no sample": it
/// is not kept and never matches. Local.
class IdIndex {
 public:
  void insert(std::int64_t id, std::int64_t row);
  void erase(std::int64_t id, std::int64_t row);
  void clear() { rows_.clear(); }

  /// ids [Q] int64 -> [M, 2] int64 on the host: the pairs (position in ids, row) that match, each once.
  at::Tensor find(const at::Tensor& ids) const;

 private:
  std::unordered_multimap<std::int64_t, std::int64_t> rows_;
};

}  // namespace negatron
