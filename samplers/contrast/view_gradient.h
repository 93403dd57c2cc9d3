#pragma once

#include <vector>

#include "samplers/contrast/batch_terms.h"

namespace negatron {

/// What a row needs to know of one term of each own anchor to find its share in it.
struct TermShare {
  /// [A] dL/dterm; undefined where the loss does not depend on the term.
  at::Tensor by_term;
  TermResult result;
};

/// Collective. dL/dview for own views, as rows that the anchors of all ranks met (the gradient to the anchors
/// themselves is the pass's). By term, with s = anchor . view: dL/dview = sum_i dL/dterm_i p_i(s) g'(s) anchor_i, where
/// p is 1 for a sum, exp(g - value_i) for a log-sum-exp and the weight for a softmax mean. So each anchor's (dL/dterm,
/// normaliser, offset) is all that travels, not vectors (algorithms.md 1.10): (Bg - b) 3 T w a side, T terms. In the
/// dtype of the vectors, holding a tile of own views times kAnchorBlock.
///
/// own_views: [n, d] with positions [n] (host) among all rows and labels [n] (undefined when no rule needs them).
struct ViewsToDerive {
  at::Tensor vectors;
  at::Tensor positions;
  at::Tensor labels;
};
at::Tensor view_gradient(Communicator& comm, const BatchViews& views, const QueryShares& shares,
                         const ViewsToDerive& own, const std::vector<ScoreTerm>& terms,
                         const std::vector<TermShare>& term_shares, const BatchRules& rules);

inline constexpr std::int64_t kAnchorBlock = 4096;

}  // namespace negatron
