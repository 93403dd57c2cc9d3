#include "runtime/evaluation/neighbours.h"

#include <algorithm>
#include <limits>

namespace negatron {

namespace {

// A tile of scores is at most this large: 256 x 16,384 floats are 16 MiB.
constexpr std::int64_t kTileQueries = 256;
constexpr std::int64_t kTileRows = 16384;

Neighbours join(const Neighbours& a, const Neighbours& b) {
  return {at::cat({a.scores, b.scores}, 1), at::cat({a.rows, b.rows}, 1)};
}

/// `width` empty places for each of `queries` queries.
Neighbours no_neighbours(std::int64_t queries, std::int64_t width, const at::Tensor& like) {
  return {at::full({queries, width}, -std::numeric_limits<double>::infinity(), like.options()),
          at::full({queries, width}, kNoRow, like.options().dtype(at::kLong))};
}

/// All candidates of these queries, scores on their device and dtype, numbers of the columns [M] or rows [Q, M].
Neighbours best_in_queries(const at::Tensor& queries, const at::Tensor& shard, std::int64_t first_row, std::int64_t k) {
  Neighbours best = no_neighbours(queries.size(0), 0, queries);
  for (std::int64_t begin = 0; begin < shard.size(0); begin += kTileRows) {
    const at::Tensor tile = shard.slice(0, begin, begin + kTileRows);
    const at::Tensor scores = at::mm(queries, tile.t());  // [Q, tile]
    const at::Tensor rows =
        at::arange(first_row + begin, first_row + begin + tile.size(0), queries.options().dtype(at::kLong));
    const Neighbours found = keep_best({scores, rows.expand_as(scores)}, k);
    // What is kept so far never exceeds k columns, so that memory is bounded by one tile and 2k candidates per query.
    best = keep_best(join(best, found), k);
  }
  // A shard of fewer than k rows still sends k columns: messages of all ranks have one width.
  const std::int64_t missing = k - best.scores.size(1);
  return missing > 0 ? join(best, no_neighbours(queries.size(0), missing, queries)) : best;
}

}  // namespace

Neighbours keep_best_sorted(const Neighbours& candidates, std::int64_t k) {
  // Two stable sorts: by row, then by score, leave equal scores in the order of their rows.
  const at::Tensor by_row = candidates.rows.argsort(/*stable=*/true, /*dim=*/1);
  const auto [scores, by_score] =
      at::sort(candidates.scores.gather(1, by_row), /*stable=*/true, /*dim=*/1, /*descending=*/true);
  const at::Tensor rows = candidates.rows.gather(1, by_row).gather(1, by_score);
  return {scores.slice(1, 0, k).contiguous(), rows.slice(1, 0, k).contiguous()};
}

Neighbours keep_best(const Neighbours& candidates, std::int64_t k) {
  // Example with k = 2: of scores 0.7, 0.9, 0.7 in rows 4, 5, 6, topk(3) gives 0.9, 0.7, 0.7. Places 2 and 3 are
  // equal, so topk may have taken row 6 for the second; the full sort takes row 4, as it would with the rows on other
  // ranks.
  if (candidates.scores.size(1) <= k) return candidates;
  // One more than wanted shows whether equal scores straddle the border: topk may take any of them then, and such
  // queries, which are rare, are sorted in full.
  const auto [values, places] = candidates.scores.topk(k + 1, /*dim=*/1);
  Neighbours best{values.slice(1, 0, k).contiguous(), candidates.rows.gather(1, places.slice(1, 0, k))};
  const at::Tensor crowded = values.select(1, k - 1).eq(values.select(1, k)).nonzero().squeeze(1);
  if (crowded.size(0) > 0) {
    const Neighbours exact =
        keep_best_sorted({candidates.scores.index_select(0, crowded), candidates.rows.index_select(0, crowded)}, k);
    best.scores.index_copy_(0, crowded, exact.scores);
    best.rows.index_copy_(0, crowded, exact.rows);
  }
  return best;
}

Neighbours nearest_rows(const at::Tensor& queries, const at::Tensor& shard, std::int64_t first_row, std::int64_t k) {
  std::vector<at::Tensor> scores;
  std::vector<at::Tensor> rows;
  for (std::int64_t begin = 0; begin < queries.size(0); begin += kTileQueries) {
    const Neighbours best = best_in_queries(queries.slice(0, begin, begin + kTileQueries), shard, first_row, k);
    scores.push_back(best.scores);
    rows.push_back(best.rows);
  }
  if (scores.empty()) return no_neighbours(0, k, queries);
  return {at::cat(scores), at::cat(rows)};
}

}  // namespace negatron
