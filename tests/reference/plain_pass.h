#pragma once

#include "samplers/pass/pass.h"

namespace negatron::testing {

/// The pass by its definition: query after query, over a list of its candidates, in fp64, gradients by autograd. What
/// the other passes are compared with.
class PlainPass : public Pass {
 public:
  PassResult run(const Rows& rows, const PassRequest& request) const override;
};

/// A term over the rows [n, d] with log weights bias [n], for one query [d] at position `index`; scalars, and a
/// gradient [d]. fp64.
TermResult plain_term(const ScoreTerm& term, const at::Tensor& query, const at::Tensor& rows, const at::Tensor& bias,
                      std::int64_t index);

}  // namespace negatron::testing
