#include "samplers/exchange/rows/row_gradient.h"

#include <algorithm>

namespace negatron {
namespace {

/// Rows of a tile, times all queries.
constexpr std::int64_t kRowBlock = 4096;

}  // namespace

at::Tensor row_gradient(Communicator& comm, const Rows& rows, const at::Tensor& lengths, const RowGradientQueries& own,
                        double scale) {
  const at::NoGradGuard no_grad;
  const at::Tensor numbers = at::cat({own.queries, own.log_denominator.unsqueeze(1)}, 1).contiguous();
  const at::Tensor all = comm.all_gather(numbers, own.shares.sizes);  // [Bg, d + 1]
  const std::int64_t width = own.queries.size(1);
  const at::Tensor queries = all.narrow(1, 0, width);
  const at::Tensor log_denominator = all.select(1, width);  // [Bg]

  const std::int64_t count = rows.vectors.size(0);
  at::Tensor gradient = at::zeros({count, width}, own.queries.options());
  for (std::int64_t begin = 0; begin < count; begin += kRowBlock) {
    const std::int64_t size = std::min(kRowBlock, count - begin);
    const at::Tensor vectors = rows.vectors.narrow(0, begin, size).to(queries.options());
    const at::Tensor scores = vectors.mm(queries.t());                                // [n, Bg]
    const at::Tensor shares = (scores * scale - log_denominator.unsqueeze(0)).exp();  // [n, Bg] p_ij
    const at::Tensor radial = (shares * scores).sum(1, true) * vectors;               // [n, d]
    const at::Tensor by_length =
        lengths.narrow(0, begin, size).to(queries.options()) * (static_cast<double>(queries.size(0)) / scale);
    gradient.narrow(0, begin, size).copy_((shares.mm(queries) - radial) / by_length.unsqueeze(1));
  }
  if (rows.validity.defined()) gradient.masked_fill_(rows.validity.ne(0.0).unsqueeze(1), 0.0);
  return gradient;
}

}  // namespace negatron
