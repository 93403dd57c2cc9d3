#include "tests/samplers/pass/kernel_trial.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/reference/plain_pass.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron::testing {
namespace {

constexpr double kBf16Rounding = 0x1p-8;

/// |n| of the longest row, 1 for unit rows.
double longest_row(const Rows& rows) {
  if (rows.length == RowLength::kUnit || rows.vectors.size(0) == 0) return 1.0;
  return rows.vectors.to(at::kDouble).norm(2, {1}).max().item<double>();
}

/// [Q] how far off scores may be. In bf16 each number of a query is off by up to 2^-8 of itself, in no common
/// direction: 2^-8 / sqrt(d), and twice that for the worst of many. In two parts queries are good to 2^-16. Sums in
/// fp32 add a few roundings. All that for each unit of a row's length.
at::Tensor score_error(const Rows& rows, const PassRequest& request) {
  const at::Tensor queries = request.candidates.queries.to(at::kCPU, at::kDouble);
  const double root = std::sqrt(static_cast<double>(queries.size(1)));
  const bool fine = query_parts(largest_scale(request.terms), request.candidates.queries.size(1), rows.length) > 1;
  return (queries.norm(2, {1}) * (fine ? 0x1p-16 : 2.0 * kBf16Rounding / root) + 0x1p-22) * longest_row(rows);
}

void expect_near(const at::Tensor& actual, const at::Tensor& expected, const at::Tensor& tolerance,
                 const std::string& what) {
  ASSERT_EQ(actual.defined(), expected.defined()) << what;
  if (!actual.defined()) return;
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  ASSERT_EQ(actual.scalar_type(), expected.scalar_type()) << what;
  const at::Tensor own = actual.cpu().to(at::kDouble);
  const at::Tensor other = expected.to(at::kDouble);
  const at::Tensor off = (own - other).abs();
  const at::Tensor near = (off <= tolerance + 1e-6 * other.abs()).logical_or(own == other);
  EXPECT_TRUE(near.all().item<bool>()) << what << "\n" << own << "\n" << other << "\nwithin " << tolerance;
}

}  // namespace

at::Tensor unit(std::int64_t count, std::int64_t width, std::uint64_t seed) {
  return random_unit_rows(seed, 0, count, width).to(at::kFloat);
}

PassRequest plain_request(const at::Tensor& queries, const std::vector<double>& scales) {
  PassRequest request;
  request.candidates.queries = queries;
  for (const double scale : scales) request.terms.push_back(log_sum_exp(scale));
  request.want_max = true;
  return request;
}

PassResult plain_answer(const Rows& rows, const PassRequest& request) {
  Rows own = rows;
  own.vectors = rows.vectors.cpu();
  for (at::Tensor* tensor : {&own.validity, &own.slots, &own.labels}) {
    if (tensor->defined()) *tensor = tensor->cpu();
  }
  PassRequest asked = request;
  asked.candidates.queries = request.candidates.queries.cpu();
  if (asked.bias.defined()) asked.bias = request.bias.cpu();
  for (ScoreTerm& term : asked.terms) {
    if (term.query_offset.defined()) term.query_offset = term.query_offset.cpu();
  }
  return PlainPass().run(own, asked);
}

void expect_equal_to_plain(const Pass& pass, const Rows& rows, const PassRequest& request) {
  SCOPED_TRACE(::testing::Message() << "rows " << rows.vectors.sizes() << ", queries "
                                    << request.candidates.queries.sizes() << ", first scale "
                                    << request.terms.front().scale);
  const PassResult expected = plain_answer(rows, request);
  const PassResult actual = pass.run(rows, request);
  ASSERT_EQ(actual.terms.size(), expected.terms.size());
  const at::Tensor score = score_error(rows, request);
  for (std::size_t i = 0; i < actual.terms.size(); ++i) {
    const double scale = std::abs(request.terms[i].scale);
    const std::string name = " of the term with scale " + std::to_string(request.terms[i].scale);
    const at::Tensor logit = scale * score + 1e-6;
    expect_near(actual.terms[i].value, expected.terms[i].value, logit, "value" + name);
    // A weight is off by the error of its logit, and by its own rounding.
    expect_near(actual.terms[i].gradient, expected.terms[i].gradient,
                ((2.0 * logit + kBf16Rounding) * scale * longest_row(rows)).unsqueeze(1), "gradient" + name);
    expect_near(actual.terms[i].slope, expected.terms[i].slope, at::zeros({1}, at::kDouble), "slope" + name);
  }
  expect_near(actual.max, expected.max, score, "max");
  EXPECT_TRUE(at::equal(actual.count.cpu(), expected.count)) << actual.count << "\n" << expected.count;
}

}  // namespace negatron::testing
