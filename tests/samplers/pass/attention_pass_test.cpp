#include "samplers/pass/attention_pass.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/pass/blocked_pass.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

// On a CPU ATen has an operator of its own; all around it is what runs on a GPU.
namespace negatron {
namespace {

using testing::make_rows;
using testing::plain_request;
using testing::unit;

PassRequest without_max(PassRequest request) {
  request.want_max = false;
  return request;
}

TEST(AttentionPass, EqualsPlain) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const std::int64_t count : {1, 65, 1300}) {
      const Rows rows = make_rows(unit(count, 24, 1).to(type));
      for (const std::vector<double>& scales : std::vector<std::vector<double>>{{5.0}, {9.0, 0.5}}) {
        PassRequest request = without_max(plain_request(unit(7, 24, 2), scales));
        request.terms[0].query_offset = at::linspace(-1.0, 1.0, 7, at::kDouble);
        ASSERT_TRUE(AttentionPass::serves(rows, request));
        testing::expect_equal_to_plain(AttentionPass(), rows, request);
      }
    }
  }
}

TEST(AttentionPass, EqualsPlainFarMoreCloselyInFp64) {
  const Rows rows = make_rows(unit(700, 24, 1).to(at::kDouble));
  const PassRequest request = without_max(plain_request(unit(7, 24, 2).to(at::kDouble), {100.0}));
  testing::expect_close(AttentionPass().run(rows, request), testing::plain_answer(rows, request), 1e-11);
}

TEST(AttentionPass, LeavesOutAMaximumThatIsOnlyWelcome) {
  const Rows rows = make_rows(unit(100, 16, 1).to(at::kBFloat16));
  PassRequest request = plain_request(unit(4, 16, 2), {5.0});
  const PassResult without = AttentionPass().run(rows, without_max(request));
  request.may_skip_max = true;
  ASSERT_TRUE(AttentionPass::serves(rows, request));
  const PassResult result = AttentionPass().run(rows, request);
  EXPECT_TRUE(result.max.isnan().all().item<bool>()) << "a wrong maximum is worse than none";
  EXPECT_TRUE(at::equal(result.terms[0].value, without.terms[0].value));
  // Of rows that other passes scored nobody knows the maximum either.
  const PassResult other = BlockedPass().run(rows, request);
  EXPECT_TRUE(merge(request.terms, result, other).max.isnan().all().item<bool>());
  EXPECT_FALSE(other.max.isnan().any().item<bool>()) << "where it costs nothing it is found";
}

TEST(AttentionPass, RefusesWhatAttentionDoesNotKnow) {
  const Rows rows = make_rows(unit(100, 16, 1).to(at::kBFloat16));
  const PassRequest served = without_max(plain_request(unit(4, 16, 2), {5.0}));
  const auto expect_refused = [](const Rows& own, const PassRequest& request) {
    EXPECT_FALSE(AttentionPass::serves(own, request));
    EXPECT_THROW(AttentionPass().run(own, request), std::invalid_argument);
  };
  EXPECT_TRUE(AttentionPass::serves(rows, served));
  expect_refused(make_rows(rows.vectors, at::arange(100) > 3), served);
  PassRequest request = served;
  request.want_max = true;
  expect_refused(rows, request);
  request = served;
  request.bias = at::zeros({100});
  expect_refused(rows, request);
  request = served;
  request.candidates.exclusions = at::tensor({0, 1}, at::kLong).view({1, 2});
  expect_refused(rows, request);
  request = served;
  request.terms[0].scale = 100.0;  // too coarse in bf16
  expect_refused(rows, request);
  request.terms[0].scale = -1.0;
  expect_refused(rows, request);
}

}  // namespace
}  // namespace negatron
