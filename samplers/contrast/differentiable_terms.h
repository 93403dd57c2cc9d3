#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "samplers/objectives/objective.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// What to score for an objective's terms, offsets without gradient. Local.
std::vector<ScoreTerm> plain_terms(const std::vector<ObjectiveTerm>& terms);

/// The terms [A] of a pass as functions for autograd: values as the pass found them, and as gradients what the pass
/// found with them, with respect to `anchors` [A, d], to each term's query_offset and to its log_scale. Rows are
/// constants here. With f linear in the scale, df/dlog_scale = q . df/dq. Local.
std::vector<at::Tensor> differentiable_terms(const at::Tensor& anchors, const std::vector<ObjectiveTerm>& terms,
                                             const std::vector<TermResult>& results);

}  // namespace negatron
