#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// Squared distances as inner products: vectors of any length with two numbers more, so that everything that scores by
/// inner products (kernels, orders, hard sets, losses and their gradients) works on distances, over a bank of rows of
/// width d + 2 (RowLength::kDistance, or kAsMade where a program makes rows by itself):
///
///     n' = (n, -|n|^2 / 2, 1)        q' = (q, 1, -|q|^2 / 2)        q' . n' = q.n - |n|^2 / 2 - |q|^2 / 2 = -|q - n|^2
///     / 2
///
/// The nearest rows score highest. With one number more, that of the rows, scores would be right but for -|q|^2 / 2: an
/// order and a softmax of one query do not see it, a score by itself, as NCE and a margin have it, does.
///
/// Gradient goes through both by autograd; what a loss has by n' (row_gradient.h), [m, d + 2], comes to n by
/// by_distance_rows(). Keys and rows take the first form, queries the second, so that what is both, as in a batch
/// whose views are all anchors, has no place here. |n|^2 / 2 needs rows in fp32 or fp64. Local, as all of this.
///
/// Example: q = (1, 0) and n = (0, 2). n' = (0, 2, -2, 1), q' = (1, 0, 1, -0.5), and q' . n' = -2 - 0.5 = -2.5, half of
/// the square of a distance of sqrt(5).
at::Tensor distance_rows(const at::Tensor& rows);        // [..., d] -> [..., d + 2]
at::Tensor distance_queries(const at::Tensor& queries);  // [..., d] -> [..., d + 2]

/// A gradient by distance_rows(n) [m, d + 2] as one by n [m, d]: the first d numbers less the next one times n.
at::Tensor by_distance_rows(const at::Tensor& gradient, const at::Tensor& rows);

}  // namespace negatron
