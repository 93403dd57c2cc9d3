#pragma once

#include <vector>

#include "samplers/contrast/batch_views.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// Which views an anchor meets: all but itself, by label as in a pass. The partner is one of them only if
/// `partner_is_candidate`.
struct BatchRules {
  bool partner_is_candidate = false;
  LabelRule label_rule = LabelRule::kAny;
  PositiveRule positive_rule = PositiveRule::kNone;
};

/// The terms of own anchors over the views of all ranks. The maximum is over the views but the partner. Local.
PassResult batch_terms(const BatchViews& views, const OwnAnchors& own, const std::vector<ScoreTerm>& terms,
                       const BatchRules& rules);

/// A softmax mean so sharp that fp32 scores, whose last bits depend on the shape of a matrix product, would give
/// weights that do not fit each other. Such terms are computed in fp64.
bool is_sharp(const std::vector<ScoreTerm>& terms);

}  // namespace negatron
