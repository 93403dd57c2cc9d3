#pragma once

#include <ATen/ATen.h>

#include "samplers/pass/listed_pass.h"

namespace negatron {

/// Closed forms of MoCHi's mixes (samplers/exchange/EXCHANGE.md 7), in the dtype of the scores. Local.

/// n_i, n_j [Q, s, d] rows, s_i, s_j [Q, s] their scores, alpha [Q, s] -> h [Q, s, d] and q . h [Q, s].
ListedVectors mix_pairs(const at::Tensor& first, const at::Tensor& second, const at::Tensor& first_scores,
                        const at::Tensor& second_scores, const at::Tensor& alpha);

/// n_j [Q, s', d], s_j [Q, s'], beta [Q, s'], unit queries [Q, d] -> q . h' [Q, s'] and its gradient with respect to q:
/// detached h' itself, attached d(q . h')/ds_j n_j.
ListedVectors mix_with_query(const at::Tensor& queries, const at::Tensor& rows, const at::Tensor& scores,
                             const at::Tensor& beta, bool attached);

}  // namespace negatron
