#include "runtime/evaluation/neighbours.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

at::Tensor rows_sorted(const Neighbours& neighbours) {
  return std::get<0>(neighbours.rows.sort(1));
}

TEST(Neighbours, EqualScoresGoByLowerRow) {
  // Columns are not in the order of their rows; three candidates share the score at the border of k = 3.
  const at::Tensor scores = at::tensor({0.5, 0.9, 0.5, 0.5, 0.1}, at::kFloat).unsqueeze(0);
  const at::Tensor rows = at::tensor({40, 7, 12, 30, 1}, at::kLong).unsqueeze(0);
  const Neighbours sorted = keep_best_sorted({scores, rows}, 3);
  EXPECT_TRUE(sorted.rows.equal(at::tensor({7, 12, 30}, at::kLong).unsqueeze(0)));
  EXPECT_TRUE(rows_sorted(keep_best({scores, rows}, 3)).equal(at::tensor({7, 12, 30}, at::kLong).unsqueeze(0)));
}

TEST(Neighbours, AllEqualTakesTheFirstRowsWhateverTheTiles) {
  const at::Tensor shard = at::ones({20000, 2}, at::kDouble);
  const at::Tensor queries = at::ones({3, 2}, at::kDouble);
  const Neighbours found = nearest_rows(queries, shard, 100, 5);
  EXPECT_TRUE(rows_sorted(found).equal(at::arange(100, 105, at::kLong).expand({3, 5})));
}

TEST(Neighbours, AgreesWithAFullSortOverTiles) {
  at::manual_seed(1);
  // More rows than a tile holds, more queries than a tile holds, and scores on a coarse grid: ties everywhere.
  const at::Tensor shard = at::randint(-2, 3, {17000, 4}, at::kDouble);
  const at::Tensor queries = at::randint(-2, 3, {260, 4}, at::kDouble);
  const Neighbours found = nearest_rows(queries, shard, 0, 50);
  const at::Tensor expected =
      at::mm(queries, shard.t()).argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true).slice(1, 0, 50);
  EXPECT_TRUE(rows_sorted(found).equal(std::get<0>(expected.sort(1))));
}

TEST(Neighbours, FillsMissingPlaces) {
  const Neighbours found = nearest_rows(at::ones({2, 3}), at::ones({1, 3}), 9, 4);
  EXPECT_EQ(found.rows.sizes(), at::IntArrayRef({2, 4}));
  EXPECT_TRUE(keep_best_sorted(found, 4).rows[1].equal(at::tensor({std::int64_t{9}, kNoRow, kNoRow, kNoRow})));
  const Neighbours none = nearest_rows(at::ones({2, 3}), at::ones({0, 3}), 9, 4);
  EXPECT_TRUE(none.rows.eq(kNoRow).all().item<bool>());
  EXPECT_EQ(nearest_rows(at::ones({0, 3}), at::ones({5, 3}), 0, 4).rows.sizes(), at::IntArrayRef({0, 4}));
}

}  // namespace
}  // namespace negatron::testing
