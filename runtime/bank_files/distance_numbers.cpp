#include "runtime/bank_files/distance_numbers.h"

#include <cmath>
#include <limits>
#include <sstream>

#include "comm/require.h"
#include "runtime/snapshots/hdf5/dtype_text.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// Of a sum of d squares, which were added up in some order, and of a vector that was rounded afterwards.
constexpr double kRoundings = 32.0;

std::string text_of(double value) {
  std::ostringstream text;
  text.precision(9);
  text << value;
  return text.str();
}

}  // namespace

std::string problem_of_distance_row(const at::Tensor& rows, std::int64_t index) {
  const at::Tensor row = rows[index];
  const at::Tensor wide = row.to(at::kDouble).contiguous();
  const std::int64_t width = vector_width(RowLength::kDistance, row.numel());
  const double* numbers = wide.const_data_ptr<double>();
  if (numbers[width + 1] != 1.0) return "has the last number " + text_of(numbers[width + 1]) + " and not 1";
  const double expected = -0.5 * wide.narrow(0, 0, width).square().sum().item<double>();
  // Rows in fp64 may come from a run in fp32: such have no more digits than that.
  const bool is_double = row.scalar_type() == at::kDouble && !at::equal(row.to(at::kFloat).to(at::kDouble), row);
  const double step = is_double ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  if (std::abs(numbers[width] - expected) <= kRoundings * step * std::abs(expected)) return {};
  return "has " + text_of(numbers[width]) + " behind its vector and not -|n|^2 / 2, which is " + text_of(expected);
}

void require_type(RowLength length, at::ScalarType dtype, const std::string& flag) {
  require(can_be_stored(length, dtype), flag + " " + dtype_text(dtype) +
                                            " keeps too few digits of |n|^2 / 2, which rows of distances have behind "
                                            "their vectors; take fp32 or fp64.");
}

}  // namespace negatron
