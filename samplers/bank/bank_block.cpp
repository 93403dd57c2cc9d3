#include "samplers/bank/bank_block.h"

#include <cstddef>
#include <cstring>

namespace negatron {

BankBlock make_block(std::int64_t rows, std::int64_t width, at::ScalarType dtype) {
  const at::Tensor column = at::empty({rows}, at::kLong);
  return {at::empty({rows, width}, dtype), column, column.clone(), column.clone(), column.clone()};
}

BankBlock part_of(const BankBlock& block, std::int64_t begin, std::int64_t count) {
  const auto rows = [&](const at::Tensor& all) { return all.defined() ? all.narrow(0, begin, count) : all; };
  return {rows(block.vectors),  rows(block.ids), rows(block.labels), rows(block.steps),
          rows(block.sequence), rows(block.raw), rows(block.moments)};
}

void copy_into(const BankBlock& to, std::int64_t begin, const BankBlock& from) {
  const auto copy = [&](const at::Tensor& all, const at::Tensor& some) {
    if (some.numel() == 0) return;
    const std::size_t row_bytes = some.nbytes() / static_cast<std::size_t>(some.size(0));
    std::memcpy(static_cast<char*>(all.mutable_data_ptr()) + static_cast<std::size_t>(begin) * row_bytes,
                some.const_data_ptr(), some.nbytes());
  };
  copy(to.vectors, from.vectors);
  copy(to.ids, from.ids);
  copy(to.labels, from.labels);
  copy(to.steps, from.steps);
  copy(to.sequence, from.sequence);
}

}  // namespace negatron
