#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "samplers/pass/pass.h"

namespace negatron::testing {

constexpr std::int64_t kTrialWidth = 8;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// [count, kTrialWidth] fp64
at::Tensor unit_rows(std::int64_t count, std::uint64_t seed);

/// Rows with slots in an order of their own and labels 0 to 4 (-1 for every seventh row). Holes, without a slot, where
/// `valid` [n] is false; all valid when it is undefined.
Rows make_rows(const at::Tensor& vectors, const at::Tensor& valid = at::Tensor());

/// Queries with everything that a rule can ask of them: positives, positions from 100, labels 0 to 4.
Candidates make_candidates(const at::Tensor& queries);

PassRequest make_request(const at::Tensor& queries, std::vector<ScoreTerm> terms);

/// Linear log-sum-exp.
ScoreTerm log_sum_exp(double scale);
/// Every shape with every reduction, all with gradient and slope; hinges are active for some scores and not for others.
std::vector<ScoreTerm> all_terms(TermRows rows);

/// Each way of ranking rows.
std::vector<SelectionOrder> all_orders();

/// Members of `actual` equal those of `expected` to `tolerance`, counts exactly.
void expect_close(const PassResult& actual, const PassResult& expected, double tolerance);
/// All members are defined in both or in neither, and equal.
void expect_same_bits(const PassResult& actual, const PassResult& expected);
/// Runs the plain and the blocked pass, the latter with several block sizes.
void expect_equal_to_plain(const Rows& rows, const PassRequest& request, double tolerance);

}  // namespace negatron::testing
