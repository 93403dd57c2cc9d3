#pragma once

#include <ATen/ATen.h>

#include "samplers/exchange/rows/met_rows.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// What own queries met in the whole bank.
struct NegativeResult {
  /// Bank rows and extra vectors together.
  PassResult scores;
  /// [b] the largest score of a bank row, without extra vectors; NaN where it was not needed and not looked for.
  at::Tensor bank_max;
  /// [b, N] keys of the hardest candidates: as many as reported, else as many as mixed from; undefined without both,
  /// and when only pools are mixed from.
  at::Tensor hardest;
  /// [b] int64 mixes that each query met: 0 where it had too few candidates. Undefined without mixes.
  at::Tensor mix_count;
  /// [b] sum of the mixes' scores; undefined without mixes.
  at::Tensor mix_score_sum;
  /// [b] int64, of a set that draws from one list as it is listed: how many rows were named up to and with the first
  /// that was drawn, all of them where none was. Undefined without such a set.
  at::Tensor tried;
  /// [b, n] int64 slots, -1 for none: what request.kept chose; undefined without.
  at::Tensor kept;
  /// What all queries of the group met on this shard, where it was to be kept; else without sets.
  MetRows met;
};

}  // namespace negatron
