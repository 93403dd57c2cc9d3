#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/encoders/encoder_pair.h"
#include "runtime/encoders/parted_pass.h"

namespace negatron {

/// Two views of the same samples on their way through a pair of encoders: query() first, then key(), once each, so that
/// the caller can use the queries while the keys are not there yet. Where one encoder trains both views they pass it in
/// one batch, and query() makes the keys, too; there may then be views of further samples, one for each of these, that
/// pass with them. Where no encoder makes keys there is one view, and no key().
///
/// In one part, backward of a loss goes on through the encoder. In several, the loss is still that of all rows, but its
/// backward ends at them, and backward(part) follows for each part (parted_pass.h).
class ViewPair {
 public:
  /// Copies the views [b, C, H, W] to the encoders' device; the second one is undefined where no encoder makes keys.
  /// `mined` are L views [b, C, H, W] of further samples. `encoders` outlive the pair. Local.
  ViewPair(EncoderPair& encoders, const at::Tensor& view_a, const at::Tensor& view_b, const BatchParts& parts = {},
           std::vector<at::Tensor> mined = {})
      : encoders_(encoders),
        view_a_(encoders.to_place(view_a)),
        view_b_(view_b.defined() ? encoders.to_place(view_b) : view_b),
        mined_(std::move(mined)),
        parts_(parts) {}

  /// Queries [b, d] of the first view: rows with gradient. Collective or local as EncoderPair::query().
  at::Tensor query();
  /// Keys [b, d] of the second view: rows, without gradient where a momentum encoder makes them. Collective or
  /// local as EncoderPair::key().
  at::Tensor key();
  /// Rows [b, L, d] of the further samples, with gradient; undefined without any. Behind query(). Local.
  const at::Tensor& mined() const noexcept { return mined_rows_; }

  /// How many calls of backward(part) follow the loss's own backward; none with one part.
  std::int64_t parts_left() const noexcept { return pass_ ? pass_->parts() : 0; }
  /// Adds one part's gradients to the parameters', behind the backward of the loss. Collective or local as the backward
  /// of EncoderPair::query().
  void backward(std::int64_t part) { pass_.value().backward(part); }

  /// The same views the other way round, not passed yet. Local.
  ViewPair swapped() const { return ViewPair(encoders_, view_b_, view_a_, parts_); }

 private:
  EncoderPair& encoders_;
  at::Tensor view_a_;
  at::Tensor view_b_;
  std::vector<at::Tensor> mined_;
  BatchParts parts_;
  /// Made by query() already; undefined where a momentum encoder makes them.
  at::Tensor keys_;
  at::Tensor mined_rows_;
  /// With several parts, from query() on.
  std::optional<PartedPass> pass_;
};

}  // namespace negatron
