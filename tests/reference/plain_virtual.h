#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron::testing {

/// What the virtual variant of AdvIR holds fixed (samplers/objectives/LOSSES.md 19).
struct VirtualMoves {
  at::Tensor prediction;  // [A, n] softmax over candidates before they are moved
  at::Tensor moves;       // [A, n, d] of each candidate
};

/// [A, n] log softmax of q . c / tau. queries [A, d], candidates [A, n, d].
at::Tensor log_softmax_of(const at::Tensor& queries, const at::Tensor& candidates, double tau);

/// [A] KL(prediction || softmax of what was moved), for autograd in queries and candidates.
at::Tensor plain_divergence(const at::Tensor& queries, const at::Tensor& candidates, const VirtualMoves& fixed,
                            double tau);

/// Virtual adversarial training by its definition (Miyato et al., TPAMI 2019): all candidates of an anchor together are
/// the input; power iteration with products of the Hessian of the divergence, taken by autograd twice, from a random
/// direction; then each candidate's part is made epsilon long, and of both signs the one that diverges more is taken.
VirtualMoves plain_virtual_moves(const at::Tensor& queries, const at::Tensor& candidates, double tau, double epsilon);

}  // namespace negatron::testing
