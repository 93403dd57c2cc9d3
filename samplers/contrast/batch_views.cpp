#include "samplers/contrast/batch_views.h"

#include "comm/queued_copy.h"
#include "samplers/bank/canonical_leaves.h"

namespace negatron {

OwnAnchors own_anchors(const at::Tensor& queries, const at::Tensor& keys, const ContrastBatch& batch, bool both) {
  const auto here = [&](const at::Tensor& labels) {
    return labels.defined() ? queued_copy(labels, queries.device()) : labels;
  };
  const at::Tensor labels = here(batch.labels);
  const at::Tensor key_labels = here(batch.key_labels.defined() ? batch.key_labels : batch.labels);
  if (!both) return {queries, keys, labels, key_labels};
  const auto joined = [](const at::Tensor& a, const at::Tensor& b) {
    return a.defined() && b.defined() ? at::cat({a, b}) : at::Tensor();
  };
  return {joined(queries, keys), joined(keys, queries), joined(labels, key_labels), joined(key_labels, labels)};
}

at::Tensor gather_anchors(Communicator& comm, const at::Tensor& values, const QueryShares& shares, bool both) {
  if (!both) return comm.all_gather(values.contiguous(), shares.sizes);
  // Query and key of a sample travel as one row, so that one list of shares serves both. From 2 samples on rank 0 and 1
  // on rank 1 come the pairs (q0 k0) (q1 k1) (q2 k2), which become q0 q1 q2 k0 k1 k2 on every rank.
  const at::Tensor paired = at::stack(values.chunk(2), 1);  // [b, 2, ...]
  return comm.all_gather(paired, shares.sizes).transpose(0, 1).flatten(0, 1).contiguous();
}

BatchViews gather_views(Communicator& comm, const OwnAnchors& own, const QueryShares& shares, bool both,
                        bool want_anchors) {
  BatchViews views;
  views.both = both;
  views.per_side = shares.total();
  const std::int64_t begin = shares.begin(comm.rank()) - shares.first;
  views.own = {begin, begin + shares.size(comm.rank())};
  const bool labels = own.labels.defined() && own.partner_labels.defined();
  const auto to_device = [&](const at::Tensor& values) { return queued_copy(values, own.vectors.device()); };

  views.rows.vectors = gather_anchors(comm, both ? own.vectors : own.partners, shares, both);
  if (labels) {
    views.rows.labels = gather_anchors(comm, to_device(both ? own.labels : own.partner_labels), shares, both);
  }
  // Nobody said, and no kernel that asks is behind them.
  views.rows.length = RowLength::kAsMade;
  const std::int64_t count = views.rows.vectors.size(0);
  views.rows.leaves = canonical_leaves(count, 1, {0, count});
  if (both) {
    views.anchors = views.rows.vectors;
    views.anchor_labels = views.rows.labels;
  } else if (want_anchors) {
    views.anchors = gather_anchors(comm, own.vectors, shares, both);
    if (labels) views.anchor_labels = gather_anchors(comm, to_device(own.labels), shares, both);
  }
  return views;
}

at::Tensor own_positions(const BatchViews& views) {
  const at::Tensor one_side = at::arange(views.own.begin, views.own.end, at::kLong);
  return views.both ? at::cat({one_side, one_side + views.per_side}) : one_side;
}

at::Tensor partner_positions(const BatchViews& views, const at::Tensor& positions) {
  return views.both ? (positions + views.per_side).remainder(2 * views.per_side) : positions;
}

}  // namespace negatron
