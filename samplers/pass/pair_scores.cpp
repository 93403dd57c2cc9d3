#include "samplers/pass/pair_scores.h"

#include <algorithm>
#include <array>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

namespace negatron {
namespace {

/// So many sums at a time keep a core's adders busy.
constexpr std::int64_t kSums = 8;
constexpr std::int64_t kPairsOfATask = 1024;
/// On a device: a block of so many numbers in fp64 is 64 MiB, and a few such blocks are alive.
constexpr std::int64_t kNumbersAtOnce = std::int64_t{1} << 23;

template <typename Row>
double product(const Row* row, const double* vector, std::int64_t width) {
  std::array<double, kSums> sums{};
  std::int64_t i = 0;
  for (; i + kSums <= width; i += kSums) {
    for (std::int64_t k = 0; k < kSums; ++k) {
      sums[static_cast<std::size_t>(k)] += static_cast<double>(row[i + k]) * vector[i + k];
    }
  }
  for (; i < width; ++i) sums.front() += static_cast<double>(row[i]) * vector[i];
  double sum = 0.0;
  for (const double part : sums) sum += part;
  return sum;
}

at::Tensor on_the_host(const at::Tensor& rows, const at::Tensor& row, const at::Tensor& vectors,
                       const at::Tensor& vector) {
  const at::Tensor scores = at::empty({row.size(0)}, at::kFloat);
  const at::Tensor stored = rows.contiguous();
  const at::Tensor wide = vectors.to(at::kDouble).contiguous();
  const at::Tensor at_row = row.contiguous();
  const at::Tensor at_vector = vector.contiguous();
  const std::int64_t width = rows.size(1);
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, rows.scalar_type(), "pair_scores", [&] {
    const auto* first_row = stored.const_data_ptr<scalar_t>();
    const auto* first_vector = wide.const_data_ptr<double>();
    const auto* row_of = at_row.const_data_ptr<std::int64_t>();
    const auto* vector_of = at_vector.const_data_ptr<std::int64_t>();
    auto* score = scores.mutable_data_ptr<float>();
    at::parallel_for(0, row.size(0), kPairsOfATask, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        score[i] =
            static_cast<float>(product(first_row + row_of[i] * width, first_vector + vector_of[i] * width, width));
      }
    });
  });
  return scores;
}

}  // namespace

at::Tensor pair_scores(const at::Tensor& rows, const at::Tensor& row, const at::Tensor& vectors,
                       const at::Tensor& vector) {
  if (rows.is_cpu()) return on_the_host(rows, row, vectors, vector);
  const at::Tensor scores = at::empty({row.size(0)}, rows.options().dtype(at::kFloat));
  const std::int64_t together = std::max<std::int64_t>(1, kNumbersAtOnce / std::max<std::int64_t>(1, rows.size(1)));
  for (std::int64_t begin = 0; begin < row.size(0); begin += together) {
    const std::int64_t size = std::min(together, row.size(0) - begin);
    const at::Tensor own = rows.index_select(0, row.narrow(0, begin, size)).to(at::kDouble);
    const at::Tensor against = vectors.index_select(0, vector.narrow(0, begin, size)).to(at::kDouble);
    scores.narrow(0, begin, size).copy_((own * against).sum(1));
  }
  return scores;
}

}  // namespace negatron
