#pragma once

#include <vector>

#include "samplers/contrast/batch_terms.h"
#include "samplers/pass/score_shares.h"

namespace negatron {

/// Collective. dL/dview for own views, as rows that the anchors of all ranks met (the gradient to the anchors
/// themselves is the pass's): [2 b, d] with both views, else [b, d] of the keys. By term, with s = anchor . view:
/// dL/dview = sum_i dL/dterm_i p_i(s) g'(s) anchor_i, where p is 1 for a sum, exp(g - value_i) for a log-sum-exp and
/// the weight for a softmax mean. So each anchor's (dL/dterm, normaliser, offset) is all that travels, not vectors
/// (GRADIENT.md 3): (Bg - b) 3 T w a side, T terms. In the dtype of the vectors, holding a tile of own views times
/// kAnchorBlock.
at::Tensor view_gradient(Communicator& comm, const BatchViews& views, const QueryShares& shares, const OwnAnchors& own,
                         const std::vector<TermShare>& term_shares, const BatchRules& rules);

inline constexpr std::int64_t kAnchorBlock = 4096;

}  // namespace negatron
