#include "samplers/bank/random_rows.h"

#include <cmath>

#include "samplers/random/philox.h"

namespace negatron {

at::Tensor random_unit_rows(std::uint64_t seed, std::int64_t first_slot, std::int64_t count, std::int64_t width) {
  at::Tensor rows = at::empty({count, width}, at::kDouble);
  double* value = rows.mutable_data_ptr<double>();
  for (std::int64_t row = 0; row < count; ++row, value += width) {
    // A generator of its own for each slot: which rank makes the row, and which rows it makes besides, does not show in
    // it. fp64 throughout, and rounded once, when the bank stores it.
    CounterRng random(seed, Purpose::kBankFill, 0, static_cast<std::uint64_t>(first_slot + row));
    double squares = 0.0;
    for (std::int64_t i = 0; i < width; ++i) {
      value[i] = random.normal();
      squares += value[i] * value[i];
    }
    const double norm = std::sqrt(squares);
    for (std::int64_t i = 0; i < width; ++i) value[i] /= norm;
  }
  return rows;
}

}  // namespace negatron
