#pragma once

#include <ATen/ATen.h>

#include "samplers/bank/row_length.h"

namespace negatron {

/// What a bank stores of vectors [..., d] that an encoder made, and what is scored against it: the vectors themselves,
/// or distance_rows() and distance_queries(), [..., d + 2] (squared_distance.h). Gradient goes through. Local.
at::Tensor rows_of_vectors(const at::Tensor& vectors, RowLength length);
at::Tensor queries_of_vectors(const at::Tensor& vectors, RowLength length);
/// The vectors [..., d] of rows or queries [..., w], a view. Local.
at::Tensor vectors_of_rows(const at::Tensor& rows, RowLength length);

/// Whether rows can be stored in that type: |n|^2 / 2 has more digits than bf16 and fp16.
bool can_be_stored(RowLength length, at::ScalarType dtype);

/// What of rows that learn, w [n, d], scores: n = w / |w| [n, d], so that scores are cosines, where a row of length 0
/// is a row of zeros; or, where rows have any length, rows_of_vectors(w), so that scores are inner products, or of
/// distances. Local.
at::Tensor scored_rows(const at::Tensor& raw, RowLength length = RowLength::kUnit);

/// A gradient by the scored rows as one by the raw rows [n, d], in a tensor of its own: (g - (g . n) n) / |w|, the part
/// that turns the row, by less for a longer one; or g; or by_distance_rows(), so that the two further numbers never
/// take a step of their own. Local.
at::Tensor by_raw_rows(const at::Tensor& gradient, const at::Tensor& raw, RowLength length = RowLength::kUnit);

}  // namespace negatron
