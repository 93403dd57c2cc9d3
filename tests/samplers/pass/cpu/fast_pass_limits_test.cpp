// What FastPass leaves to BlockedPass, refuses, or must not hide.

#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cpu/kernel_choice.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::log_sum_exp;
using testing::make_request;
using testing::make_rows;
using testing::unit_rows;

TEST(FastPass, PassesOnWhatItDoesNotServe) {
  const Rows rows = make_rows(unit_rows(1500, 1).to(at::kFloat));
  const auto passed_on = [&](const Rows& over, auto change) {
    PassRequest request = make_request(unit_rows(4, 2).to(at::kFloat), {log_sum_exp(5.0)});
    request.candidates = testing::make_candidates(request.candidates.queries);
    change(request);
    EXPECT_FALSE(FastPass::serves(over, request));
    const PassResult expected = BlockedPass().run(over, request);
    testing::expect_close(FastPass().run(over, request), expected, 0.0);
  };
  using Request = PassRequest;
  passed_on(rows, [](Request& r) { r.terms.assign(3, log_sum_exp(5.0)); });
  passed_on(rows, [](Request& r) { r.terms.clear(); });
  passed_on(rows, [](Request& r) { r.terms[0].scale = 1e7; });
  passed_on(rows, [](Request& r) { r.terms[0].reduction = Reduction::kSum; });
  passed_on(rows, [](Request& r) { r.terms[0].shape = TermShape::kHinge; });
  passed_on(rows, [](Request& r) { r.terms[0].rows = TermRows::kPositives; });
  passed_on(rows, [](Request& r) { r.candidates.label_rule = LabelRule::kDifferent; });
  passed_on(rows, [](Request& r) { r.candidates.positive_rule = PositiveRule::kSameLabel; });
  passed_on(rows, [](Request& r) {
    r.candidates.windows = {{{}, at::zeros({4}, at::kLong), at::full({4}, kAfterAllKeys, at::kLong)}};
  });
  passed_on(rows, [](Request& r) { r.candidates.queries = r.candidates.queries.to(at::kDouble); });
  passed_on(make_rows(unit_rows(1500, 1).to(at::kDouble)), [](Request&) {});
  // NaN stays NaN.
  PassRequest request = make_request(unit_rows(4, 2).to(at::kFloat), {log_sum_exp(5.0)});
  request.candidates.queries[2][1].fill_(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(FastPass::serves(rows, request));
  EXPECT_TRUE(std::isnan(FastPass().run(rows, request).terms[0].value[2].item<double>()));
}

TEST(FastPass, RowsThatAreNotFiniteShowInTheGradient) {
  for (const CpuIsa isa : available_isas()) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const double broken : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        SCOPED_TRACE(name_of(isa));
        const Rows rows = make_rows(unit_rows(1500, 1).to(type));
        rows.vectors[700][3].fill_(broken);
        const PassResult result =
            FastPass(isa).run(rows, make_request(unit_rows(4, 2).to(at::kFloat), {log_sum_exp(5.0)}));
        EXPECT_FALSE(at::isfinite(result.terms[0].gradient).all().item<bool>()) << type << broken;
      }
    }
  }
}

TEST(FastPass, RefusesWhatDoesNotFit) {
  PassRequest request = make_request(unit_rows(2, 2).to(at::kFloat), {log_sum_exp(5.0)});
  request.bias = at::zeros({8});
  EXPECT_THROW(FastPass().run(make_rows(unit_rows(9, 1).to(at::kFloat)), request), std::invalid_argument);
  EXPECT_THROW(FastPass(CpuIsa::kAuto, 0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
