#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/pass/pass.h"

namespace negatron {

/// A small case that tells a kernel which puts a number into a wrong place from one that only rounds otherwise: 300
/// rows in bf16, with holes, and 70 queries fill neither tiles of rows nor groups of queries. Local.
Rows trial_rows(at::Device place, std::int64_t width);
/// One or two terms, bias, exclusions and the maximum. With `parts` 2 the first term's scale is so large that kernels
/// split queries (score_term.h).
PassRequest trial_request(at::Device place, std::int64_t width, int terms, int parts);

/// The largest difference of maxima, of log-sum-exps, and of gradients over their scale; infinite where counts or
/// best rows differ or a number is none. Local.
double distance(const PassResult& a, const PassResult& b, const PassRequest& request);

}  // namespace negatron
