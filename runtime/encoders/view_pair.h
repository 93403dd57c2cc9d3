#pragma once

#include <ATen/ATen.h>

#include "runtime/encoders/encoder_pair.h"

namespace negatron {

/// Two views of the same samples on their way through a pair of encoders: query() first, then key(), once each, so that
/// the caller can use the queries while the keys are not there yet. Where one encoder trains both views they pass it in
/// one batch, and query() makes the keys, too.
class ViewPair {
 public:
  /// Copies the views [b, C, H, W] to the encoders' device. `encoders` outlive the pair. Local.
  ViewPair(EncoderPair& encoders, const at::Tensor& view_a, const at::Tensor& view_b)
      : encoders_(encoders), view_a_(encoders.to_place(view_a)), view_b_(encoders.to_place(view_b)) {}

  /// Queries [b, d] of the first view: unit rows with gradient. Collective or local as EncoderPair::query().
  at::Tensor query();
  /// Keys [b, d] of the second view: unit rows, without gradient where a momentum encoder makes them. Collective or
  /// local as EncoderPair::key().
  at::Tensor key();

  /// The same views the other way round. Local.
  ViewPair swapped() const { return ViewPair(encoders_, view_b_, view_a_); }

 private:
  EncoderPair& encoders_;
  at::Tensor view_a_;
  at::Tensor view_b_;
  /// Made by query() already; undefined where a momentum encoder makes them.
  at::Tensor keys_;
};

}  // namespace negatron
