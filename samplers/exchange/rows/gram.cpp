#include "samplers/exchange/rows/gram.h"

namespace negatron {

at::Tensor weighted_gram(Communicator& comm, const Bank& bank, const at::Tensor& row_weights) {
  const Rows& rows = bank.shard().rows;
  at::Tensor vectors = rows.vectors.to(at::kDouble);
  // What a hole holds is nobody's business, not even when it is not a number.
  if (rows.validity.defined()) vectors = vectors.masked_fill(rows.validity.ne(0.0).unsqueeze(1), 0.0);
  const at::Tensor weighted =
      row_weights.defined() ? vectors * row_weights.to(vectors.options()).unsqueeze(1) : vectors;
  const at::Tensor gram = weighted.t().mm(vectors).contiguous();
  comm.all_reduce(gram, ReduceOp::kSum);
  return gram;
}

at::Tensor gram_energy(const at::Tensor& queries, const at::Tensor& gram) {
  return (queries.mm(gram.to(queries.options())) * queries).sum(1);
}

}  // namespace negatron
