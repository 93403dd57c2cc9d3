#pragma once

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/contrast_batch.h"
#include "samplers/contrast/contrast_output.h"
#include "samplers/exchange/rows/row_gradient.h"
#include "samplers/objectives/objective.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// The log-sum-exp at 1 / tau of all that a query met, of which the loss that learned rows raise is made. The queries
/// take no gradient of it.
ScoreTerm rows_term(double tau);

/// Adds to `output` the gradient of the rows' loss by this rank's rows, and its sum over own queries as "rows_loss":
///
///     L_i = softplus(l_i - s+_i / tau),     dL/dl_i = 1 - the probability of the positive,
///
/// a mean over the queries of all ranks (Hu et al., AdCo, CVPR 2021, eq. 4; GRADIENT.md 9), tau that of `batch`. `met`
/// is what rows_term() came to, and output.negatives.met what was met, which is dropped then. Collective over the ranks
/// that share the bank.
void add_rows_loss(Communicator& group, const Bank& bank, const Anchors& anchors, const ContrastBatch& batch,
                   const TermResult& met, ContrastOutput& output);

/// Which rows the gradient of a step is wanted of.
GradientRows wanted_rows(const ContrastBatch& batch);

}  // namespace negatron
