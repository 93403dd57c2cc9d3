#pragma once

#include "comm/communicator.h"
#include "comm/share.h"
#include "samplers/bank/rows.h"
#include "samplers/contrast/contrast_batch.h"
#include "samplers/exchange/query_batch.h"

namespace negatron {

/// Own anchors with their partners, without gradient. With both views the anchors are the b queries, then their b keys;
/// else they are the queries and the partners their keys. So own views, as others meet them, are the anchors with both
/// views and the partners without. Labels undefined when there are none.
struct OwnAnchors {
  at::Tensor vectors;         // [A, d]
  at::Tensor partners;        // [A, d]
  at::Tensor labels;          // [A] int64
  at::Tensor partner_labels;  // [A] int64
};

/// Of own samples: queries and keys [b, d] without gradient. Labels are brought to their device. Local.
OwnAnchors own_anchors(const at::Tensor& queries, const at::Tensor& keys, const ContrastBatch& batch, bool both);

/// The views of all ranks' batches as rows of a pass. With both views the rows are the Bg queries, then the Bg keys,
/// and the anchors are the same; else the rows are the keys and the anchors are the queries.
struct BatchViews {
  bool both = false;
  Rows rows;                  // [V, d], V = 2 Bg or Bg, with labels if there are any
  at::Tensor anchors;         // [V, d] the anchors of all ranks; undefined unless asked for
  at::Tensor anchor_labels;   // [V] int64 of them
  std::int64_t per_side = 0;  // Bg
  Range own;                  // of own samples among those of a side
};

/// Collective. Bytes received per rank, w bytes an element, s sides (rows, and anchors where they are other vectors):
/// (Bg - b) s d w, and (Bg - b) s 8 for labels.
BatchViews gather_views(Communicator& comm, const OwnAnchors& own, const QueryShares& shares, bool both,
                        bool want_anchors);

/// Collective. values [A, ...] of own anchors -> of all anchors, in the order of `BatchViews::anchors`.
at::Tensor gather_anchors(Communicator& comm, const at::Tensor& values, const QueryShares& shares, bool both);

/// Positions of own anchors among those of all ranks: [2 b] with both views, else [b]. int64 on the host. Local.
at::Tensor own_positions(const BatchViews& views);

/// The position of each view's partner, which with both views is among them. Local.
at::Tensor partner_positions(const BatchViews& views, const at::Tensor& positions);

}  // namespace negatron
