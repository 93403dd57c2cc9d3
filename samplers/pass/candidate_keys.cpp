#include "samplers/pass/candidate_keys.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include <ATen/core/grad_mode.h>

#include "comm/require.h"
#include "samplers/pass/candidate_tile.h"

namespace negatron {
namespace {

constexpr int kDigits = 8;
constexpr int kDigitBits = 8;
constexpr int kDigitValues = 1 << kDigitBits;
constexpr int kKeyBits = kDigits * kDigitBits;
/// A tile of 256 queries times a leaf of 1024 rows is 2 MiB of fp64 scores or keys, and a few such tiles are alive.
constexpr std::int64_t kQueriesOfKeys = 256;

/// Calls visit(block, keys [b, n]) for every tile that holds a valid row.
void for_each_tile(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                   const std::function<void(Range, const at::Tensor&)>& visit) {
  const at::NoGradGuard no_grad;
  const std::int64_t queries = candidates.queries.size(0);
  CandidateSweep sweep(rows, candidates);
  for (const Leaf& leaf : rows.leaves) {
    if (leaf.valid == 0) continue;
    sweep.enter(leaf);
    for (std::int64_t begin = 0; begin < queries; begin += kQueriesOfKeys) {
      const Range block{begin, std::min(begin + kQueriesOfKeys, queries)};
      visit(block, sweep.tile(block).candidate_keys(order));
    }
  }
}

void check(const Rows& rows, const Candidates& candidates, const SelectionOrder& order) {
  check_candidates(rows, candidates);
  check_order(rows, candidates, order);
}

at::TensorOptions longs(const Candidates& candidates) {
  return candidates.queries.options().dtype(at::kLong);
}

}  // namespace

void check_selection(const Rows& rows, const Candidates& candidates, const SelectionOrder& order, std::int64_t m) {
  check(rows, candidates, order);
  require(m >= 0, "selection: the number of best rows must not be negative");
}

at::Tensor exhaustive_best_keys(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                                std::int64_t m) {
  check_selection(rows, candidates, order, m);
  const at::Tensor best = at::full({candidates.queries.size(0), m}, kAfterAllKeys, longs(candidates));
  if (m == 0) return best;
  for_each_tile(rows, candidates, order, [&](Range block, const at::Tensor& keys) {
    at::Tensor own = best.narrow(0, block.begin, block.size());
    // The m best so far against those of this tile: [b, m + n], of which the m least keys stay. Keys are unique (each
    // holds its slot), so which leaf comes first does not show. They need no order until the end.
    own.copy_(std::get<0>(at::cat({own, keys}, 1).topk(m, 1, /*largest=*/false, /*sorted=*/false)));
  });
  return std::get<0>(best.sort(1));
}

RaggedKeys keys_between(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                        const at::Tensor& first, const at::Tensor& last) {
  check(rows, candidates, order);
  const std::int64_t queries = candidates.queries.size(0);
  const auto fits = [&](const at::Tensor& ends) {
    return ends.defined() && ends.dim() == 1 && ends.size(0) == queries && ends.scalar_type() == at::kLong;
  };
  require(fits(first) && fits(last), "keys_between: the ends must be int64 keys [Q], one for each query");
  std::vector<at::Tensor> found{at::empty({0}, longs(candidates))};
  std::vector<at::Tensor> finders{found.front()};
  for_each_tile(rows, candidates, order, [&](Range block, const at::Tensor& keys) {
    const auto own = [&](const at::Tensor& ends) { return ends.narrow(0, block.begin, block.size()).unsqueeze(1); };
    // Rows that are no candidates have kAfterAllKeys, which lies before no end.
    const at::Tensor inside = (keys >= own(first)).logical_and_(keys < own(last));
    found.push_back(keys.masked_select(inside));
    finders.push_back(inside.nonzero().select(1, 0) + block.begin);
  });
  // Ascending by key and then, stably, by query: keys of one query lie together and are still ascending.
  const auto [keys, by_key] = at::cat(found).sort();
  const auto [query, by_query] = at::cat(finders).index_select(0, by_key).sort(/*stable=*/true, 0, false);
  return {keys.index_select(0, by_query), at::bincount(query, {}, queries)};
}

at::Tensor digit_histogram(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                           const at::Tensor& prefix, int level) {
  check(rows, candidates, order);
  require(level >= 0 && level < kDigits, "digit_histogram: a key has the digits 0 to 7");
  require(prefix.defined() && prefix.dim() == 2 && prefix.size(0) == candidates.queries.size(0) &&
              prefix.scalar_type() == at::kLong,
          "digit_histogram: prefixes must be int64 keys [Q, T]");
  const std::int64_t queries = prefix.size(0);
  const std::int64_t prefixes = prefix.size(1);
  const int rest = kKeyBits - kDigitBits * (level + 1);  // bits behind the digit
  const at::Tensor counts = at::zeros({queries, prefixes, kDigitValues}, prefix.options().dtype(at::kInt));
  for_each_tile(rows, candidates, order, [&](Range block, const at::Tensor& keys) {
    // Bytes of the key from the top. For level 1 and the key 0x12'34'..., `rest` is 48 and the digit 0x34; it is
    // counted for those prefixes whose first byte is 0x12 too. The shift copies the sign into the upper bits, and the
    // mask removes it.
    at::Tensor digits = keys.bitwise_right_shift(rest).bitwise_and_(kDigitValues - 1);
    // The sign bit is the first digit's highest: flipped, negative keys come first.
    if (level == 0) digits.bitwise_xor_(kDigitValues / 2);
    const at::Tensor candidate = keys != kAfterAllKeys;
    for (std::int64_t t = 0; t < prefixes; ++t) {
      at::Tensor counted = candidate;
      if (level > 0) {
        const at::Tensor wanted = prefix.narrow(0, block.begin, block.size()).narrow(1, t, 1);
        const int shift = rest + kDigitBits;
        // Only the digits before this one must agree; what a prefix holds behind them does not matter.
        counted = (keys.bitwise_right_shift(shift) == wanted.bitwise_right_shift(shift)).logical_and_(candidate);
      }
      counts.narrow(0, block.begin, block.size()).select(1, t).scatter_add_(1, digits, counted.to(at::kInt));
    }
  });
  return counts;
}

}  // namespace negatron
