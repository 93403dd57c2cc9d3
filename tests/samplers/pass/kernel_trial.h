#pragma once

#include <vector>

#include "samplers/pass/pass.h"

namespace negatron::testing {

/// [count, width] unit rows in fp32
at::Tensor unit(std::int64_t count, std::int64_t width, std::uint64_t seed);

/// Linear log-sum-exps of these scales, with gradient and slope, and the maximum.
PassRequest plain_request(const at::Tensor& queries, const std::vector<double>& scales);

/// Runs `pass`, a kernel over rows in bf16, and the plain pass on the host. The tolerances are those of queries rounded
/// to bf16, or split where that would show, and of weights rounded to bf16.
void expect_equal_to_plain(const Pass& pass, const Rows& rows, const PassRequest& request);

/// As PlainPass would answer on the host; of rows and requests on any device.
PassResult plain_answer(const Rows& rows, const PassRequest& request);

}  // namespace negatron::testing
