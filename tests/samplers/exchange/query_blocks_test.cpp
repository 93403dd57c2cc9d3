#include "samplers/exchange/query_blocks.h"

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

TEST(QueryBlocks, EqualOneListedPass) {
  // More than one block, and the last one shorter.
  constexpr std::int64_t kQueries = 900, kLength = 160, kColumns = 64;
  testing::Scene scene;
  scene.queries = random_unit_rows(1, 0, kQueries, kColumns);
  const at::Tensor rows = random_unit_rows(2, 0, kLength, kColumns);
  ListedVectors all;
  all.scores = scene.queries.mm(rows.t());
  all.gradients = rows.unsqueeze(0).expand({kQueries, kLength, kColumns});
  all.present = (at::arange(kQueries * kLength, at::kLong).remainder(7) > 2).view({kQueries, kLength});
  const std::vector<ScoreTerm> terms = testing::usual_terms(scene);
  std::int64_t blocks = 0;
  const PassResult actual = run_listed_in_blocks(scene.queries, terms, kLength, [&](Range block) {
    ++blocks;
    const auto part = [block](const at::Tensor& values) { return values.narrow(0, block.begin, block.size()); };
    return ListedVectors{part(all.scores), part(all.gradients), part(all.present), {}, {}};
  });
  EXPECT_GT(blocks, 1);
  const PassResult expected = run_listed(scene.queries, all, terms, true);
  for (std::size_t t = 0; t < terms.size(); ++t) {
    EXPECT_TRUE(at::allclose(actual.terms[t].value, expected.terms[t].value, 1e-13, 1e-13)) << t;
    EXPECT_EQ(actual.terms[t].gradient.defined(), terms[t].want_gradient) << t;
    if (terms[t].want_gradient) {
      EXPECT_TRUE(at::allclose(actual.terms[t].gradient, expected.terms[t].gradient, 1e-12, 1e-12)) << t;
    }
    if (terms[t].want_slope) {
      EXPECT_TRUE(at::allclose(actual.terms[t].slope, expected.terms[t].slope, 1e-13)) << t;
    }
  }
  EXPECT_TRUE(at::equal(actual.count, expected.count));
  EXPECT_TRUE(at::equal(actual.max, expected.max));
}

}  // namespace
}  // namespace negatron
